use super::*;
use serde_json::json;

fn read_graph(graph: &Value) -> Infotext {
    infotext(Some(&graph.to_string()), None).expect("a sampler")
}

fn lost(text: &Infotext) -> Vec<&str> {
    text.fields.iter().filter(|(key, _)| key == LOST_NODE).map(|(_, node)| node.as_str()).collect()
}

/// The graph that ComfyUI starts with, with two LoRAs in it.
fn usual() -> Value {
    json!({
        "3": {"class_type": "KSampler", "inputs": {
            "seed": 156_680_208_700_286_u64, "steps": 20, "cfg": 8, "sampler_name": "euler", "scheduler": "normal", "denoise": 1,
            "model": ["11", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "SD1.5/v1-5-pruned.safetensors"}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768, "batch_size": 1}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a bottle, \"galaxy\" inside", "clip": ["11", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "text, watermark", "clip": ["11", 1]}},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "ComfyUI", "images": ["8", 0]}},
        "10": {"class_type": "LoraLoader", "inputs": {
            "lora_name": "ink.safetensors", "strength_model": 0.7, "strength_clip": 1, "model": ["4", 0], "clip": ["4", 1]}},
        "11": {"class_type": "LoraLoaderModelOnly", "inputs": {
            "lora_name": "sub/paper.safetensors", "strength_model": 0.5, "model": ["10", 0]}},
    })
}

#[test]
fn the_usual_graph_reads_like_infotext() {
    let text = read_graph(&usual());
    assert_eq!(
        text.to_string(),
        "a bottle, \"galaxy\" inside <lora:ink.safetensors:0.7> <lora:sub/paper.safetensors:0.5>\n\
         Negative prompt: text, watermark\n\
         Steps: 20, Sampler: Euler, Schedule type: Normal, CFG scale: 8, Seed: 156680208700286, Size: 512x768, \
         Model: SD1.5/v1-5-pruned.safetensors, RNG: CPU"
    );
}

#[test]
fn of_samplers_in_a_row_the_first_counts_and_values_may_come_from_nodes() {
    let mut graph = usual();
    graph["3"]["inputs"]["seed"] = json!(["20", 0]);
    graph["6"]["inputs"]["text"] = json!(["21", 0]);
    graph["3"]["inputs"]["positive"] = json!(["22", 0]);
    graph["8"]["inputs"]["samples"] = json!(["30", 0]);
    let more = json!({
        "20": {"class_type": "Seed (rgthree)", "inputs": {"seed": 77}, "is_changed": ["~"]},
        "21": {"class_type": "String Literal", "inputs": {"string": "from a node"}},
        "22": {"class_type": "ControlNetApplyAdvanced", "inputs": {"positive": ["6", 0], "negative": ["7", 0], "strength": 1}},
        "30": {"class_type": "KSampler", "inputs": {
            "seed": 5, "steps": 9, "cfg": 3, "sampler_name": "lcm", "scheduler": "karras", "denoise": 0.5,
            "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["31", 0]}},
        "31": {"class_type": "LatentUpscale", "inputs": {"width": 1024, "height": 1536, "samples": ["3", 0]}},
    });
    graph.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    // As Python writes it.
    let json = graph.to_string().replace("\"~\"", "NaN");
    let text = infotext(Some(&json), None).expect("a sampler");
    assert_eq!((text.get("Seed"), text.get("Steps"), text.get("Size")), (Some("77"), Some("20"), Some("512x768")));
    assert!(text.prompt.starts_with("from a node <lora"));
    assert_eq!(lost(&text), ["ControlNetApplyAdvanced"]);
}

#[test]
fn newer_samplers_have_their_settings_around_them() {
    let text = read_graph(&json!({
        "1": {"class_type": "SamplerCustomAdvanced", "inputs": {
            "noise": ["2", 0], "guider": ["3", 0], "sampler": ["4", 0], "sigmas": ["5", 0], "latent_image": ["6", 0]}},
        "2": {"class_type": "RandomNoise", "inputs": {"noise_seed": 42}},
        "3": {"class_type": "CFGGuider", "inputs": {"cfg": 1.5, "model": ["7", 0], "positive": ["8", 0], "negative": ["9", 0]}},
        "4": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "lcm"}},
        "5": {"class_type": "BasicScheduler", "inputs": {"scheduler": "sgm_uniform", "steps": 4, "denoise": 1, "model": ["7", 0]}},
        "6": {"class_type": "VAEEncode", "inputs": {"pixels": ["10", 0]}},
        "7": {"class_type": "Power Lora Loader (rgthree)", "inputs": {
            "lora_1": {"on": true, "lora": "lcm.safetensors", "strength": 1.0},
            "lora_2": {"on": false, "lora": "off.safetensors", "strength": 1.0}, "model": ["11", 0]}},
        "8": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox"}},
        "9": {"class_type": "ConditioningZeroOut", "inputs": {"conditioning": ["8", 0]}},
        "10": {"class_type": "LoadImage", "inputs": {"image": "fox.png"}},
        "11": {"class_type": "FreeU_V2", "inputs": {"b1": 1.3, "model": ["12", 0]}},
        "12": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "dream.safetensors"}},
    }));
    assert_eq!(text.prompt, "a fox <lora:lcm.safetensors:1>");
    let expected =
        [("Steps", "4"), ("Sampler", "LCM"), ("Schedule type", "SGM Uniform"), ("CFG scale", "1.5"), ("Seed", "42")];
    for (key, value) in expected.into_iter().chain([("Denoising strength", "1"), ("Model", "dream.safetensors")]) {
        assert_eq!(text.get(key), Some(value), "{key}");
    }
    assert_eq!(lost(&text), ["FreeU_V2"]);
}

#[test]
fn a_drawn_graph_is_read_where_there_is_no_other() {
    let workflow = json!({
        "nodes": [
            {"id": 3, "type": "KSampler", "widgets_values": [9, "randomize", 25, 7.5, "dpmpp_2m", "karras", 1.0], "inputs": [
                {"name": "model", "link": 1}, {"name": "positive", "link": 4}, {"name": "negative", "link": 6},
                {"name": "latent_image", "link": 2}]},
            {"id": 4, "type": "CheckpointLoaderSimple", "widgets_values": ["dream.safetensors"]},
            {"id": 12, "type": "LoraLoader", "mode": 4, "widgets_values": ["off.safetensors", 1, 1], "inputs": [{"name": "model", "link": 9}]},
            {"id": 5, "type": "EmptyLatentImage", "widgets_values": [640, 448, 1]},
            {"id": 6, "type": "CLIPTextEncode", "widgets_values": ["a boat"]},
            {"id": 7, "type": "CLIPTextEncode", "widgets_values": ["blurry"]},
        ],
        "links": [[1, 12, 0, 3, 0, "MODEL"], [9, 4, 0, 12, 0, "MODEL"], [2, 5, 0, 3, 3, "LATENT"],
                  [4, 6, 0, 3, 1, "CONDITIONING"], [6, 7, 0, 3, 2, "CONDITIONING"]],
    });
    let text = infotext(None, Some(&workflow.to_string())).expect("a sampler");
    assert_eq!(
        text.to_string(),
        "a boat\nNegative prompt: blurry\nSteps: 25, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.5, Seed: 9, \
         Size: 640x448, Model: dream.safetensors, RNG: CPU"
    );
}

#[test]
fn what_is_no_graph_is_no_settings() {
    for json in ["", "{}", "[1, 2]", "{\"1\": 7}", "{\"1\": {\"class_type\": \"KSampler\"}}", "a prompt", "\"\\"] {
        assert_eq!(infotext(Some(json), Some(json)), None, "{json}");
    }
    let ring = json!({"1": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": ["1", 0], "positive": ["2", 0]}},
                      "2": {"class_type": "Reroute", "inputs": {"": ["2", 0]}}});
    assert_eq!(read_graph(&ring).prompt, "");
}

#[test]
fn not_a_number_is_null_outside_of_strings() {
    assert_eq!(
        without_nan(r#"{"a": NaN, "b": ["say \"NaN\"", -Infinity], "蘋": "\\"}"#),
        r#"{"a": null, "b": ["say \"NaN\"", null], "蘋": "\\"}"#
    );
}
