use serde_json::{Map, Value};
use std::collections::HashSet;

/// A graph of ComfyUI: nodes by their id, each with its class and its inputs, which are values or links `[id, output]`.
pub(super) struct Graph(Vec<Node>);

pub(super) struct Node {
    pub id: String,
    pub class: String,
    inputs: Map<String, Value>,
}

/// Names under which nodes that only hold a value hold it.
const VALUES: [&str; 10] =
    ["value", "text", "string", "STRING", "int", "float", "seed", "noise_seed", "number", "Number"];

impl Graph {
    /// The JSON of the text chunk `prompt`; what is not a node is left out.
    pub(super) fn new(prompt: Value) -> Self {
        let Value::Object(nodes) = prompt else { return Self(Vec::new()) };
        let node = |(id, mut node): (String, Value)| {
            let class = node["class_type"].as_str()?.to_owned();
            let Value::Object(inputs) = node["inputs"].take() else { return None };
            Some(Node { id, class, inputs })
        };
        Self(nodes.into_iter().filter_map(node).collect())
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.0.iter()
    }

    fn node(&self, id: &Value) -> Option<&Node> {
        let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        self.0.iter().find(|node| node.id == id)
    }

    /// The node that an input is linked to.
    pub(super) fn linked(&self, node: &Node, input: &str) -> Option<&Node> {
        self.behind(node.inputs.get(input)?)
    }

    fn behind(&self, link: &Value) -> Option<&Node> {
        match link.as_array().map(Vec::as_slice) {
            Some([id, output]) if output.is_u64() => self.node(id),
            _ => None,
        }
    }

    /// The value of an input, as text; where it is linked, that of the node there, if it only holds a value.
    pub(super) fn text(&self, node: &Node, input: &str) -> Option<String> {
        let mut value = node.inputs.get(input)?;
        // A chain of nodes that pass a value on is short, and may be a ring.
        for _ in 0..8 {
            match value {
                Value::String(text) => return Some(text.clone()),
                Value::Number(number) => return Some(number.to_string()),
                Value::Array(_) => {
                    let behind = self.behind(value)?;
                    value = VALUES.iter().find_map(|name| behind.inputs.get(*name))?;
                }
                _ => return None,
            }
        }
        None
    }

    /// Every node that leads to this one, the nearest first.
    pub(super) fn above<'a>(&'a self, node: &'a Node) -> Vec<&'a Node> {
        self.walk(node, |_| true)
    }

    /// The node and those whose conditioning goes into it.
    pub(super) fn conditioning_above<'a>(&'a self, node: &'a Node) -> Vec<&'a Node> {
        let is_it = |input: &str| input.starts_with("conditioning") || ["positive", "cond", ""].contains(&input);
        std::iter::once(node).chain(self.walk(node, is_it)).collect()
    }

    /// The node and those whose model goes into it.
    pub(super) fn models_above<'a>(&'a self, node: &'a Node) -> Vec<&'a Node> {
        std::iter::once(node).chain(self.walk(node, |input| input == "model" || input.is_empty())).collect()
    }

    fn walk<'a>(&'a self, from: &'a Node, follows: impl Fn(&str) -> bool) -> Vec<&'a Node> {
        let mut seen = HashSet::from([from.id.as_str()]);
        let (mut found, mut next): (Vec<&Node>, Vec<&Node>) = (Vec::new(), vec![from]);
        while !next.is_empty() {
            let links = next.iter().flat_map(|node| node.inputs.iter()).filter(|(name, _)| follows(name));
            let nodes: Vec<&Node> = links.filter_map(|(_, link)| self.behind(link)).collect();
            next = nodes.into_iter().filter(|node| seen.insert(node.id.as_str())).collect();
            found.extend(&next);
        }
        found
    }
}

impl Node {
    /// LoRAs of nodes that hold several: `lora_1: {"on": true, "lora": "ink.safetensors", "strength": 0.5}`.
    pub(super) fn stacked_loras(&self) -> Vec<(String, String)> {
        let on = self.inputs.values().filter(|input| input["on"] == Value::Bool(true));
        on.filter_map(|input| Some((input["lora"].as_str()?.to_owned(), input["strength"].as_f64()?.to_string())))
            .collect()
    }
}
