use super::out;
use clap::Args;
use fourstep_catalog::Catalog;
use fourstep_protocol::{
    Blended, Failure, Guidance, LoraRef, ModelInfo, ModelRef, Noise, Recipe, Request, Sampler, Size,
};
use std::io::{self, Read};

/// What to paint, and with what: common to `generate` and `compare`.
#[derive(Args)]
pub(super) struct PromptArgs {
    /// What to paint; `-` reads it from standard input
    ///
    /// Written as for AUTOMATIC1111: (more:1.2), [less], BREAK, <lora:name:0.8>, {one|or another}, __a list__, # a comment.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(super) prompt: String,
    /// Mix another prompt in, with this part of the whole, 0 to 1; up to three times
    #[arg(long = "mix", value_name = "PART:TEXT", value_parser = mixed)]
    pub(super) mix: Vec<Blended>,
    /// What to steer away from; has an effect where guidance is above 1
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    pub(super) negative: String,
    #[command(flatten)]
    pub(super) model: ModelArgs,
    /// Seed of the noise
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,
    /// Size in pixels, multiples of 8; the model's own where it is not given
    #[arg(long, value_name = "WxH")]
    pub(super) size: Option<Size>,
    /// Which generator turns the seed into noise: torch (diffusers, ComfyUI) or philox (AUTOMATIC1111)
    #[arg(long, value_name = "NAME", default_value = "torch", value_parser = noise)]
    pub(super) noise: Noise,
}

/// What paints.
#[derive(Args, Default)]
pub(super) struct ModelArgs {
    /// A model of the list (see `fourstep models`), a folder in the diffusers layout, or a single file
    #[arg(long, value_name = "ID|DIR|FILE.safetensors")]
    pub(super) model: Option<String>,
    /// An autoencoder instead of the model's own
    #[arg(long, value_name = "ID|PATH")]
    pub(super) vae: Option<String>,
    /// A LoRA to add, or another weight for one of the model's own; can be given several times
    ///
    /// An LCM-LoRA brings the LCM sampler, 4 steps and guidance 1, unless --sampler says otherwise.
    #[arg(long = "lora", value_name = "ID|FILE[:WEIGHT]", value_parser = lora)]
    pub(super) loras: Vec<LoraRef>,
}

/// How to paint; what is not given is the model's own.
#[derive(Args, Default)]
pub(super) struct RecipeArgs {
    /// lcm, ddim, euler, euler-a, dpmpp-2m, dpmpp-2m-karras or unipc
    ///
    /// A sampler other than the model's few-step one takes LoRAs, steps and guidance from its slow recipe.
    #[arg(long, value_name = "NAME")]
    pub(super) sampler: Option<Sampler>,
    /// Denoising steps
    #[arg(long, value_name = "N")]
    pub(super) steps: Option<u32>,
    /// Guidance scale
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(super) guidance: Option<f32>,
}

/// The program's list and the person's; what is wrong with theirs is said.
pub(super) fn catalog() -> Catalog {
    let catalog = Catalog::load();
    catalog.problems().iter().for_each(|problem| out::note(&format!("warning: {problem}")));
    catalog
}

impl ModelArgs {
    /// The model asked for, else the first of the list.
    ///
    /// # Errors
    /// [`Failure`] where there is no such model.
    pub(super) fn info(&self, catalog: &Catalog) -> Result<ModelInfo, Failure> {
        match &self.model {
            Some(name) => catalog.inspect(&ModelRef::new(name)),
            None => catalog.models().into_iter().next().ok_or_else(|| {
                Failure::machine("There is no model to paint with", "the list is empty", "Give a folder with --model.")
            }),
        }
    }

    /// The recipe that the arguments start from: with an LCM-LoRA among them few-step sampling, else the model's own,
    /// the slow one where another sampler than the live one is asked for.
    ///
    /// # Errors
    /// [`Failure`] where a LoRA cannot be read.
    pub(super) fn recipe(
        &self,
        catalog: &Catalog,
        model: &ModelInfo,
        sampler: Option<Sampler>,
    ) -> Result<Recipe, Failure> {
        if sampler.is_none_or(|sampler| sampler == Sampler::Lcm) && model.guidance == Guidance::ClassifierFree {
            if !self.few_step(catalog)?.is_empty() {
                return Ok(Recipe { loras: Vec::new(), sampler: Sampler::Lcm, steps: 4, guidance_scale: 1.0 });
            }
            // Asked for by name, it is worth saying which LoRA is missing.
            if let (Some(_), Some(few_step)) = (sampler, &model.few_step) {
                return Ok(few_step.clone());
            }
        }
        Ok(model.recipe_for(sampler.unwrap_or(model.live.sampler)).clone())
    }

    /// The LoRAs given that teach a model to paint in few steps.
    ///
    /// # Errors
    /// [`Failure`] where a LoRA cannot be read.
    pub(super) fn few_step(&self, catalog: &Catalog) -> Result<Vec<&LoraRef>, Failure> {
        let mut few_step = Vec::new();
        for lora in self.loras.iter().filter(|lora| lora.weight != 0.0) {
            if catalog.lora(&lora.source)?.few_step {
                few_step.push(lora);
            }
        }
        Ok(few_step)
    }

    /// Adds the LoRAs given to those of a recipe, and sets the autoencoder; everything is found to be there.
    ///
    /// # Errors
    /// [`Failure`] for the first that is not.
    pub(super) fn put_into(&self, request: &mut Request, catalog: &Catalog) -> Result<(), Failure> {
        for lora in &self.loras {
            match request.loras.iter_mut().find(|l| l.source == lora.source) {
                Some(known) => known.weight = lora.weight,
                None => request.loras.push(lora.clone()),
            }
        }
        request.loras.iter().try_for_each(|l| catalog.locate_lora(&l.source).map(drop))?;
        request.vae.clone_from(&self.vae);
        request.vae.as_deref().map_or(Ok(()), |vae| catalog.locate_vae(vae).map(drop))
    }
}

impl PromptArgs {
    /// The request as it was typed, checked against the model and its files.
    ///
    /// # Errors
    /// [`Failure`] for the first thing that does not fit.
    pub(super) fn typed(&self, catalog: &Catalog, model: &ModelInfo, args: &RecipeArgs) -> Result<Request, Failure> {
        let mut request = Request::new(model, read_prompt(&self.prompt, io::stdin())?);
        request.apply(&self.model.recipe(catalog, model, args.sampler)?);
        request.negative_prompt.clone_from(&self.negative);
        request.blend.clone_from(&self.mix);
        request.seed = self.seed;
        request.noise = self.noise;
        request.size = self.size.unwrap_or(request.size);
        request.sampler = args.sampler.unwrap_or(request.sampler);
        request.steps = args.steps.unwrap_or(request.steps);
        request.guidance_scale = args.guidance.unwrap_or(request.guidance_scale);
        self.model.put_into(&mut request, catalog)?;
        check(&request, model)?;
        Ok(request)
    }
}

/// Whether the model can do this.
///
/// # Errors
/// [`Failure`] that says what to give instead.
pub(super) fn check(request: &Request, model: &ModelInfo) -> Result<(), Failure> {
    request.validate(model).map_err(|invalid| {
        Failure::input(format!("{} cannot paint this", model.name), invalid, "Nothing was painted or written.")
    })
}

fn read_prompt(prompt: &str, mut stdin: impl Read) -> Result<String, Failure> {
    if prompt != "-" {
        return Ok(prompt.into());
    }
    let mut text = String::new();
    stdin.read_to_string(&mut text).map_err(|e| {
        Failure::input("The prompt could not be read from standard input", e, "Pipe UTF-8 text into the program.")
    })?;
    Ok(text.trim().into())
}

fn lora(text: &str) -> Result<LoraRef, String> {
    const ENDING: &str = ".safetensors";
    let (source, weight) = match text.rsplit_once(':').map(|(source, weight)| (source, weight, weight.parse())) {
        Some((source, _, Ok(weight))) => (source, weight),
        Some((source, weight, Err(_))) if source.ends_with(ENDING) && !weight.ends_with(ENDING) => {
            return Err(format!("`{weight}` is not a weight; write FILE:WEIGHT, for example {source}:0.8"));
        }
        // `C:\x.safetensors` holds a colon too.
        _ => (text, 1.0),
    };
    if source.is_empty() {
        return Err("a LoRA needs a file before its weight: FILE:WEIGHT".into());
    }
    Ok(LoraRef { source: source.into(), weight })
}

fn mixed(text: &str) -> Result<Blended, String> {
    let parts = text.split_once(':').and_then(|(part, prompt)| Some((part.trim().parse().ok()?, prompt)));
    let (weight, prompt) = parts.ok_or_else(|| format!("`{text}` is no part and prompt; write 0.3:a green pear"))?;
    Ok(Blended { prompt: prompt.trim().into(), weight })
}

fn noise(name: &str) -> Result<Noise, String> {
    match name {
        "torch" => Ok(Noise::Torch),
        "philox" => Ok(Noise::Philox),
        _ => Err(format!("`{name}` is not a noise generator; choose torch or philox")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(loras: &[&str], args: &RecipeArgs) -> Result<Request, Failure> {
        let catalog = Catalog::builtin();
        let loras = loras.iter().map(|text| lora(text).expect("parses")).collect();
        let model = ModelArgs { loras, ..ModelArgs::default() };
        let info = model.info(&catalog)?;
        let prompt = PromptArgs {
            prompt: "a cat".into(),
            negative: String::new(),
            mix: Vec::new(),
            model,
            seed: 7,
            size: None,
            noise: Noise::Torch,
        };
        prompt.typed(&catalog, &info, args)
    }

    #[test]
    fn the_default_is_the_live_recipe() {
        let r = request(&[], &RecipeArgs::default()).expect("fits");
        assert_eq!((r.sampler, r.steps, r.loras.len(), r.seed), (Sampler::Lcm, 4, 1, 7));
    }

    #[test]
    fn another_sampler_drops_the_lcm_lora() {
        let args = RecipeArgs { sampler: Some(Sampler::Euler), steps: Some(20), ..RecipeArgs::default() };
        let r = request(&[], &args).expect("fits");
        assert_eq!((r.sampler, r.steps, r.loras.len()), (Sampler::Euler, 20, 0));
        assert!((r.guidance_scale - 2.0).abs() < 1e-6, "the 25-step recipe's, not the 1.0 of the LCM-LoRA");
    }

    #[test]
    fn an_lcm_lora_stands_in_for_the_models_own_and_brings_its_recipe() {
        let known = request(&[], &RecipeArgs::default()).expect("fits").loras[0].source.clone();
        let halved = format!("{known}:0.5");
        let r = request(&[&halved], &RecipeArgs::default()).expect("fits");
        assert_eq!(r.loras, [LoraRef { source: known, weight: 0.5 }]);
        assert_eq!((r.sampler, r.steps, r.guidance_scale), (Sampler::Lcm, 4, 1.0));
        let slow = RecipeArgs { sampler: Some(Sampler::Ddim), ..RecipeArgs::default() };
        let r = request(&[&halved], &slow).expect("fits");
        assert_eq!((r.sampler, r.steps, r.loras.len()), (Sampler::Ddim, 25, 1));
    }

    #[test]
    fn what_does_not_fit_is_said() {
        for (loras, args, word) in [
            (&[][..], RecipeArgs { steps: Some(0), ..RecipeArgs::default() }, "1 to 8 steps"),
            (&[], RecipeArgs { guidance: Some(3.0), ..RecipeArgs::default() }, "guidance"),
            (&["none.safetensors"], RecipeArgs::default(), "none"),
        ] {
            let failure = request(loras, &args).expect_err("does not fit");
            assert!(failure.to_string().contains(word), "{failure}");
        }
    }

    #[test]
    fn lora_weights_follow_the_last_colon() {
        let pair = |text| lora(text).map(|l| (l.source, l.weight));
        assert_eq!(pair("a.safetensors"), Ok(("a.safetensors".into(), 1.0)));
        assert_eq!(pair("dir:x/a.safetensors:-0.5"), Ok(("dir:x/a.safetensors".into(), -0.5)));
        assert_eq!(pair("C:\\a.safetensors"), Ok(("C:\\a.safetensors".into(), 1.0)));
        assert_eq!(pair("b:0.5.safetensors"), Ok(("b:0.5.safetensors".into(), 1.0)));
        assert!(pair(":1").is_err());
        assert!(pair("a.safetensors:0,5").is_err_and(|e| e.contains("a.safetensors:0.8")));
    }

    #[test]
    fn a_mix_is_a_part_and_a_prompt() {
        let pear = Blended { prompt: "a pear: green".into(), weight: 0.3 };
        assert_eq!(mixed("0.3:a pear: green"), Ok(pear));
        assert!(mixed("a pear").is_err() && mixed("x:a pear").is_err());
    }

    #[test]
    fn a_dash_reads_the_prompt() {
        assert_eq!(read_prompt("-", "a fox\n".as_bytes()).expect("text"), "a fox");
        assert!(read_prompt("-", [0xff, 0xfe].as_slice()).is_err());
        assert_eq!(read_prompt("a - b", [].as_slice()).expect("text"), "a - b");
    }
}
