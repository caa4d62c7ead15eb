//! Pictures of ComfyUI: the graph of nodes they carry, read as the settings that others write as infotext.
//!
//! The way is followed from the node that saved the picture up to the sampler that began it, and from there to its
//! prompts, its model with its LoRAs, and the empty picture's size. Nodes on that way that are not known are listed.

mod graph;
mod workflow;

use crate::{Infotext, restore::LOST_NODE};
use graph::{Graph, Node};
use serde_json::Value;

/// What the text chunks `prompt` (the graph as it ran) and `workflow` (as it was drawn) say; the first is preferred.
pub(crate) fn infotext(prompt: Option<&str>, workflow: Option<&str>) -> Option<Infotext> {
    let ran = prompt.and_then(read).map(Graph::new);
    let drawn = || workflow.and_then(read).and_then(|value| workflow::as_prompt(&value)).map(Graph::new);
    let read_from = |graph: Graph| {
        let sampler = first_sampler(&graph)?;
        Some(Reader { graph: &graph, lost: Vec::new() }.read(sampler))
    };
    ran.and_then(read_from).or_else(|| drawn().and_then(read_from))
}

/// Python writes NaN, which is no JSON.
fn read(json: &str) -> Option<Value> {
    serde_json::from_str(json).ok().or_else(|| serde_json::from_str(&without_nan(json)).ok())
}

/// `NaN` and `Infinity` outside of strings become null.
fn without_nan(json: &str) -> String {
    let (mut out, mut rest, mut quoted) = (String::with_capacity(json.len()), json, false);
    while let Some(c) = rest.chars().next() {
        let word = ["NaN", "-Infinity", "Infinity"].into_iter().find(|word| !quoted && rest.starts_with(word));
        let taken = match (c, word) {
            (_, Some(word)) => {
                out.push_str("null");
                rest = &rest[word.len()..];
                continue;
            }
            ('\\', _) if quoted => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            ('"', _) => {
                quoted = !quoted;
                1
            }
            _ => c.len_utf8(),
        };
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out
}

const SAMPLERS: [&str; 4] = ["KSampler", "KSamplerAdvanced", "SamplerCustom", "SamplerCustomAdvanced"];

/// The sampler that began the picture: several may stand in a row, the later ones refining what the first made.
fn first_sampler(graph: &Graph) -> Option<&Node> {
    let is_sampler = |node: &&Node| SAMPLERS.contains(&node.class.as_str());
    let saves = graph.nodes().filter(|node| node.class.contains("SaveImage") || node.class == "PreviewImage");
    let seen = saves.flat_map(|save| graph.above(save)).filter(is_sampler);
    // What lies farthest from the saved picture comes last.
    seen.last().or_else(|| graph.nodes().find(is_sampler))
}

struct Reader<'a> {
    graph: &'a Graph,
    lost: Vec<String>,
}

impl<'a> Reader<'a> {
    fn read(mut self, sampler: &'a Node) -> Infotext {
        let graph = self.graph;
        // Newer samplers have their settings in nodes of their own.
        let parts: Vec<&Node> =
            ["guider", "noise", "sampler", "sigmas"].iter().filter_map(|i| graph.linked(sampler, i)).collect();
        let nodes: Vec<&Node> = std::iter::once(sampler).chain(parts).collect();
        let find = |names: &[&str]| -> Option<String> {
            nodes.iter().find_map(|node| names.iter().find_map(|name| graph.text(node, name)))
        };
        let mut fields = Vec::new();
        let mut add = |key: &str, value: Option<String>| fields.extend(value.map(|value| (key.to_owned(), value)));
        add("Steps", find(&["steps"]));
        add("Sampler", find(&["sampler_name"]).map(|name| sampler_label(&name)));
        add("Schedule type", find(&["scheduler"]).map(|name| schedule_label(&name)));
        add("CFG scale", find(&["cfg", "guidance"]));
        add("Seed", find(&["seed", "noise_seed"]));
        let start = graph.linked(sampler, "latent_image");
        let empty = start.into_iter().flat_map(|node| std::iter::once(node).chain(graph.above(node)));
        match empty.into_iter().find(|node| graph.text(node, "width").is_some() && graph.text(node, "height").is_some())
        {
            Some(node) => {
                let side = |name| graph.text(node, name).unwrap_or_default();
                add("Size", Some(format!("{}x{}", side("width"), side("height"))));
            }
            None => add("Denoising strength", find(&["denoise"])),
        }
        let links = |name: &str| nodes.iter().find_map(|node| graph.linked(node, name));
        let (positive, negative) = (links("positive").or(links("conditioning")), links("negative"));
        let mut prompt = self.words(positive);
        let negative_prompt = self.words(negative);
        let (model, loras) = self.model(links("model"));
        for (name, weight) in loras {
            let gap = if prompt.is_empty() { "" } else { " " };
            prompt += &format!("{gap}<lora:{name}:{weight}>");
        }
        fields.extend(model.map(|name| ("Model".to_owned(), name)));
        // ComfyUI draws its noise on the CPU.
        fields.push(("RNG".to_owned(), "CPU".to_owned()));
        fields.extend(self.lost.into_iter().map(|node| (LOST_NODE.to_owned(), node)));
        Infotext { prompt, negative_prompt, fields }
    }

    /// The prompts above a node of conditioning.
    fn words(&mut self, from: Option<&'a Node>) -> String {
        let mut words: Vec<String> = Vec::new();
        for node in from.into_iter().flat_map(|node| self.graph.conditioning_above(node)) {
            match node.class.as_str() {
                "CLIPTextEncode" | "CLIPTextEncodeSDXL" | "CLIPTextEncodeSDXLRefiner" | "smZ CLIPTextEncode" => {
                    let texts = ["text", "text_g", "text_l"].iter().filter_map(|name| self.graph.text(node, name));
                    for text in texts.filter(|text| !text.trim().is_empty()) {
                        if !words.contains(&text) {
                            words.push(text);
                        }
                    }
                }
                // An empty prompt in another way, and two prompts one after the other.
                "ConditioningZeroOut" | "ConditioningConcat" | "ConditioningCombine" | "Reroute" => {}
                _ => self.lose(node),
            }
        }
        words.join(", ")
    }

    /// The checkpoint, and the LoRAs between it and the sampler in the order they are applied.
    fn model(&mut self, from: Option<&'a Node>) -> (Option<String>, Vec<(String, String)>) {
        let (mut loras, mut name) = (Vec::new(), None);
        let chain: Vec<&Node> = from.into_iter().flat_map(|node| self.graph.models_above(node)).collect();
        for node in chain {
            let text = |input| self.graph.text(node, input);
            let loader = ["ckpt_name", "unet_name", "model_path"].iter().find_map(|input| text(input));
            let stacked = node.stacked_loras();
            if let Some(lora) = text("lora_name") {
                loras.push((lora, text("strength_model").unwrap_or_else(|| "1".into())));
            } else if !stacked.is_empty() {
                loras.extend(stacked.into_iter().rev());
            } else if loader.is_some() {
                name = loader;
            } else if !node.class.starts_with("ModelSampling") && node.class != "Reroute" {
                self.lose(node);
            }
        }
        loras.reverse();
        (name, loras)
    }

    fn lose(&mut self, node: &Node) {
        if !self.lost.contains(&node.class) {
            self.lost.push(node.class.clone());
        }
    }
}

/// As AUTOMATIC1111 calls it; one that we do not know keeps its name.
fn sampler_label(name: &str) -> String {
    let label = match name {
        "lcm" => "LCM",
        "ddim" => "DDIM",
        "euler" => "Euler",
        "euler_ancestral" => "Euler a",
        "dpmpp_2m" => "DPM++ 2M",
        "uni_pc" | "uni_pc_bh2" => "UniPC",
        other => other,
    };
    label.to_owned()
}

fn schedule_label(name: &str) -> String {
    let label = match name {
        "normal" => "Normal",
        "simple" => "Simple",
        "sgm_uniform" => "SGM Uniform",
        "ddim_uniform" => "Uniform",
        "karras" => "Karras",
        other => other,
    };
    label.to_owned()
}

#[cfg(test)]
mod tests;
