//! Models as they lie on disk, made of headers only: weights are holes in sparse files.

use fourstep_catalog::{Catalog, Places};
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A machine of its own: cache, settings and home below one folder.
pub(crate) struct Machine(TempDir);

impl Machine {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("temporary folder"))
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn catalog(&self) -> Catalog {
        Catalog::at(Places {
            cache: Some(self.path("cache")),
            config: Some(self.path("config")),
            homes: vec![self.path("home")],
        })
    }

    pub(crate) fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("create");
        fs::write(&path, text).expect("write");
        path
    }

    /// The folder of a repository in the cache, at `main`.
    pub(crate) fn snapshot(&self, repo: &str) -> PathBuf {
        let folder = format!("cache/models--{}", repo.replace('/', "--"));
        self.write(&format!("{folder}/refs/main"), "0123456789012345678901234567890123456789");
        self.path(&format!("{folder}/snapshots/0123456789012345678901234567890123456789"))
    }

    /// Everything that an entry wants, its small files empty JSON.
    pub(crate) fn download(&self, id: &str) {
        for file in self.catalog().files(id).expect("files") {
            let path = self.snapshot(&file.repo).join(&file.path);
            fs::create_dir_all(path.parent().expect("below the folder")).expect("create");
            if file.path.ends_with(".safetensors") {
                tensors(&path, &[("x", &[1])]);
            } else {
                fs::write(path, "{}").expect("write");
            }
        }
    }
}

/// Half-precision tensors of these shapes, all zeros, which take no space.
pub(crate) fn tensors(path: &Path, tensors: &[(&str, &[usize])]) {
    let mut at = 0;
    let mut header = serde_json::Map::new();
    for (key, shape) in tensors {
        let end = at + 2 * shape.iter().product::<usize>();
        header.insert((*key).to_owned(), json!({ "dtype": "F16", "shape": shape, "data_offsets": [at, end] }));
        at = end;
    }
    let header = Value::Object(header).to_string();
    fs::create_dir_all(path.parent().expect("a folder")).expect("create");
    let mut file = File::create(path).expect("create");
    file.write_all(&(header.len() as u64).to_le_bytes()).expect("write");
    file.write_all(header.as_bytes()).expect("write");
    file.set_len((8 + header.len() + at) as u64).expect("long enough");
}

/// A model's folder as diffusers writes it, with what tells models apart.
pub(crate) struct Diffusers {
    pub(crate) path: PathBuf,
}

impl Diffusers {
    pub(crate) fn new(path: PathBuf, pipeline: &str) -> Self {
        let folder = Self { path };
        let part = |library: &str, class: &str| json!([library, class]);
        folder
            .json(
                "model_index.json",
                &json!({ "_class_name": pipeline, "unet": part("diffusers", "UNet2DConditionModel"),
                         "vae": part("diffusers", "AutoencoderKL"), "text_encoder": part("transformers", "CLIPTextModel") }),
            )
            .json("text_encoder/config.json", &json!({}))
            .json("scheduler/scheduler_config.json", &json!({ "_class_name": "PNDMScheduler" }))
            .json("vae/config.json", &json!({ "block_out_channels": [128, 256, 512, 512] }))
            .json("unet/config.json", &json!({ "_class_name": "UNet2DConditionModel", "in_channels": 4, "sample_size": 64 }))
            .weights("text_encoder/model.safetensors", &[("x", &[1])])
            .weights("vae/diffusion_pytorch_model.safetensors", &[("x", &[1])])
            .unet(768, 16, &[])
    }

    /// A U-Net that reads text of this width in so many transformer layers.
    pub(crate) fn unet(self, width: usize, layers: usize, more: &[&str]) -> Self {
        let keys: Vec<String> = (0..layers).map(|i| format!("blocks.{i}.attn2.to_k.weight")).collect();
        let mut unet: Vec<(&str, &[usize])> = vec![("conv_in.weight", &[320, 4, 3, 3])];
        let shape = [320, width];
        unet.extend(keys.iter().map(|key| (key.as_str(), &shape[..])));
        unet.extend(more.iter().map(|key| (*key, &[1_usize, 1][..])));
        self.weights("unet/diffusion_pytorch_model.safetensors", &unet)
    }

    pub(crate) fn sdxl(path: PathBuf, layers: usize) -> Self {
        Self::new(path, "StableDiffusionXLPipeline")
            .json(
                "unet/config.json",
                &json!({ "_class_name": "UNet2DConditionModel", "in_channels": 4, "sample_size": 128 }),
            )
            .unet(2048, layers, &["add_embedding.linear_1.weight"])
    }

    pub(crate) fn json(self, file: &str, json: &Value) -> Self {
        let path = self.path.join(file);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("create");
        fs::write(path, json.to_string()).expect("write");
        self
    }

    pub(crate) fn weights(self, file: &str, shapes: &[(&str, &[usize])]) -> Self {
        tensors(&self.path.join(file), shapes);
        self
    }

    pub(crate) fn without(self, file: &str) -> Self {
        fs::remove_file(self.path.join(file)).expect("remove");
        self
    }
}
