//! The graph as it was drawn: values stand in the order of a node's controls, so only nodes that are known are read.

use serde_json::{Map, Value, json};

/// Names of the controls of each node, in their order; empty where one only steers the window of ComfyUI.
const CONTROLS: [(&str, &[&str]); 13] = [
    ("KSampler", &["seed", "", "steps", "cfg", "sampler_name", "scheduler", "denoise"]),
    ("KSamplerAdvanced", &["", "noise_seed", "", "steps", "cfg", "sampler_name", "scheduler"]),
    ("SamplerCustom", &["", "noise_seed", "", "cfg"]),
    ("KSamplerSelect", &["sampler_name"]),
    ("BasicScheduler", &["scheduler", "steps", "denoise"]),
    ("RandomNoise", &["noise_seed"]),
    ("CFGGuider", &["cfg"]),
    ("CLIPTextEncode", &["text"]),
    ("CheckpointLoaderSimple", &["ckpt_name"]),
    ("UNETLoader", &["unet_name"]),
    ("LoraLoader", &["lora_name", "strength_model", "strength_clip"]),
    ("LoraLoaderModelOnly", &["lora_name", "strength_model"]),
    ("EmptyLatentImage", &["width", "height"]),
];

/// A node that is switched off: its input goes through.
const BYPASSED: u64 = 4;

/// The workflow in the form of the text chunk `prompt`.
pub(super) fn as_prompt(workflow: &Value) -> Option<Value> {
    let nodes = workflow["nodes"].as_array()?;
    // Each link: its id, from node, from output, to node, to input, what goes through.
    let links = workflow["links"].as_array().map(Vec::as_slice).unwrap_or_default();
    let from = |id: &Value| links.iter().find(|link| link[0] == *id).map(|link| json!([link[1].to_string(), link[2]]));
    let mut prompt = Map::new();
    for node in nodes {
        let class = if node["mode"] == BYPASSED { "Reroute" } else { node["type"].as_str().unwrap_or_default() };
        let mut inputs = Map::new();
        let names = CONTROLS.iter().find(|(known, _)| *known == class).map_or(&[][..], |(_, names)| names);
        let values = node["widgets_values"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (name, value) in names.iter().zip(values).filter(|(name, _)| !name.is_empty()) {
            inputs.insert((*name).to_owned(), value.clone());
        }
        for input in node["inputs"].as_array().map(Vec::as_slice).unwrap_or_default() {
            if let (Some(name), Some(link)) = (input["name"].as_str(), from(&input["link"])) {
                inputs.insert(name.to_owned(), link);
            }
        }
        prompt.insert(node["id"].to_string(), json!({ "class_type": class, "inputs": inputs }));
    }
    Some(Value::Object(prompt))
}
