use clap::Args;
use fourstep_catalog::Catalog;
use fourstep_protocol::{Failure, LoraRef, ModelInfo, ModelRef, Noise, Recipe, Request, Sampler, Size};
use std::io::{self, Read};

/// What to paint, and with what: common to `generate` and `compare`.
#[derive(Args)]
pub(super) struct PromptArgs {
    /// What to paint; `-` reads it from standard input
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(super) prompt: String,
    /// What to steer away from; has an effect where guidance is above 1
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    pub(super) negative: String,
    /// A model of the list (see `fourstep models`) or a folder in the diffusers layout
    #[arg(long, value_name = "ID|DIR")]
    pub(super) model: Option<String>,
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

/// How to paint; what is not given is the model's own.
#[derive(Args, Default)]
pub(super) struct RecipeArgs {
    /// A LoRA to add, or another weight for one of the model's own; can be given several times
    #[arg(long = "lora", value_name = "FILE[:WEIGHT]", value_parser = lora)]
    pub(super) loras: Vec<LoraRef>,
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

/// The model asked for, else the first of the list.
///
/// # Errors
/// [`Failure`] where there is no such model.
pub(super) fn model(catalog: &Catalog, asked: Option<&str>) -> Result<ModelInfo, Failure> {
    match asked {
        Some(name) => catalog.inspect(&ModelRef::new(name)),
        None => catalog.models().into_iter().next().ok_or_else(|| {
            Failure::machine("There is no model to paint with", "the list is empty", "Give a folder with --model.")
        }),
    }
}

impl PromptArgs {
    /// The request, checked against the model and its files.
    ///
    /// # Errors
    /// [`Failure`] for the first thing that does not fit.
    pub(super) fn request(
        &self,
        catalog: &Catalog,
        model: &ModelInfo,
        args: &RecipeArgs,
        recipe: &Recipe,
    ) -> Result<Request, Failure> {
        let mut request = Request::new(model, read_prompt(&self.prompt, io::stdin())?);
        request.apply(recipe);
        request.negative_prompt.clone_from(&self.negative);
        request.seed = self.seed;
        request.noise = self.noise;
        request.size = self.size.unwrap_or(request.size);
        request.sampler = args.sampler.unwrap_or(request.sampler);
        request.steps = args.steps.unwrap_or(request.steps);
        request.guidance_scale = args.guidance.unwrap_or(request.guidance_scale);
        for lora in &args.loras {
            match request.loras.iter_mut().find(|l| l.source == lora.source) {
                Some(known) => known.weight = lora.weight,
                None => request.loras.push(lora.clone()),
            }
        }
        check(&request, model)?;
        request.loras.iter().try_for_each(|l| catalog.locate_lora(&l.source).map(drop))?;
        Ok(request)
    }
}

impl RecipeArgs {
    /// The recipe that the arguments start from: the slow one where another sampler than the live one is asked for.
    pub(super) fn recipe<'a>(&self, model: &'a ModelInfo) -> &'a Recipe {
        model.recipe_for(self.sampler.unwrap_or(model.live.sampler))
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

    fn prompt() -> PromptArgs {
        PromptArgs {
            prompt: "a cat".into(),
            negative: String::new(),
            model: None,
            seed: 7,
            size: None,
            noise: Noise::Torch,
        }
    }

    fn request(args: &RecipeArgs) -> Result<Request, Failure> {
        let catalog = Catalog::builtin();
        let model = model(&catalog, None)?;
        prompt().request(&catalog, &model, args, args.recipe(&model))
    }

    #[test]
    fn the_default_is_the_live_recipe() {
        let r = request(&RecipeArgs::default()).expect("fits");
        assert_eq!((r.sampler, r.steps, r.loras.len(), r.seed), (Sampler::Lcm, 4, 1, 7));
    }

    #[test]
    fn another_sampler_drops_the_lcm_lora() {
        let args = RecipeArgs { sampler: Some(Sampler::Euler), steps: Some(20), ..RecipeArgs::default() };
        let r = request(&args).expect("fits");
        assert_eq!((r.sampler, r.steps, r.loras.len()), (Sampler::Euler, 20, 0));
        assert!(r.guidance_scale > 2.0);
    }

    #[test]
    fn a_lora_of_the_model_takes_another_weight() {
        let known = request(&RecipeArgs::default()).expect("fits").loras[0].source.clone();
        let args = RecipeArgs { loras: vec![lora(&format!("{known}:0.5")).expect("parses")], ..RecipeArgs::default() };
        assert_eq!(request(&args).expect("fits").loras, [LoraRef { source: known, weight: 0.5 }]);
    }

    #[test]
    fn what_does_not_fit_is_said() {
        for (args, word) in [
            (RecipeArgs { steps: Some(0), ..RecipeArgs::default() }, "1 to 8 steps"),
            (RecipeArgs { guidance: Some(3.0), ..RecipeArgs::default() }, "guidance"),
            (RecipeArgs { loras: vec![lora("none.safetensors").expect("parses")], ..RecipeArgs::default() }, "none"),
        ] {
            let failure = request(&args).expect_err("does not fit");
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
    fn a_dash_reads_the_prompt() {
        assert_eq!(read_prompt("-", "a fox\n".as_bytes()).expect("text"), "a fox");
        assert!(read_prompt("-", [0xff, 0xfe].as_slice()).is_err());
        assert_eq!(read_prompt("a - b", [].as_slice()).expect("text"), "a - b");
    }
}
