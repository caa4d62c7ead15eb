//! What the catalog finds in other programs' folders, and what a person adds.

use crate::support::{Diffusers, Machine, tensors};
use fourstep_catalog::{Added, Addition, FolderKind, HubFile};
use fourstep_protocol::{Availability, Failure, FailureKind, Family, ItemKind, LibraryItem, ModelRef, Origin};
use std::path::Path;

fn lora(machine: &Machine, path: &str) {
    let key = |role: &str| format!("lora_unet_mid_block_attentions_0_proj_in.{role}.weight");
    tensors(&machine.path(path), &[(&key("lora_down"), &[4, 320, 1, 1]), (&key("lora_up"), &[320, 4, 1, 1])]);
}

fn item<'a>(items: &'a [LibraryItem], name: &str) -> &'a LibraryItem {
    let found = items.iter().find(|item| Path::new(&item.id).ends_with(name));
    found.unwrap_or_else(|| panic!("no {name} in {:?}", items.iter().map(|item| &item.id).collect::<Vec<_>>()))
}

fn no_list(_: &str, _: &str) -> Result<Vec<HubFile>, Failure> {
    panic!("the hub is not asked")
}

fn addition(what: &Path) -> Addition {
    Addition { what: what.to_string_lossy().into_owned(), ..Addition::default() }
}

#[test]
fn comfyui_is_found_in_its_usual_place_with_the_folders_it_names() {
    let machine = Machine::new();
    Diffusers::new(machine.path("home/ComfyUI/models/diffusers/photo"), "StableDiffusionPipeline");
    lora(&machine, "home/ComfyUI/models/loras/people/style.safetensors");
    lora(&machine, "a1111/models/Lora/other.safetensors");
    machine.write("home/ComfyUI/models/checkpoints/old.ckpt", "PK");
    machine.write("home/ComfyUI/models/checkpoints/notes.txt", "");
    tensors(
        &machine.path("home/ComfyUI/models/checkpoints/new.safetensors"),
        &[("double_blocks.0.img_attn.qkv.weight", &[1])],
    );
    let base = machine.path("a1111");
    let yaml = format!("a111:\n  base_path: {}\n  loras: |\n    models/Lora\n    models/LyCORIS\n", base.display());
    machine.write("home/ComfyUI/extra_model_paths.yaml", &yaml);

    let items = machine.catalog().scan();
    let photo = item(&items, "photo");
    assert_eq!(
        (photo.kind, photo.family, &photo.availability),
        (ItemKind::Model, Some(Family::Sd15), &Availability::Ready)
    );
    assert_eq!(photo.origin, Origin::ComfyUi(machine.path("home/ComfyUI")));
    assert_eq!(photo.model.as_ref().map(|model| model.model.as_str()), Some(photo.id.as_str()));
    let style = item(&items, "style.safetensors");
    assert_eq!((style.kind, style.lora.is_some()), (ItemKind::Lora, true));
    assert_eq!(item(&items, "other.safetensors").kind, ItemKind::Lora);
    for (name, word) in [("old.ckpt", "pickle"), ("new.safetensors", "double_blocks")] {
        let Availability::Unusable(failure) = &item(&items, name).availability else { panic!("{name} is usable") };
        assert!(failure.why.contains(word) || failure.why.contains("Flux"), "{failure}");
    }
    assert_eq!(items.len(), 5);
}

#[test]
fn automatic1111_is_added_as_a_folder_and_remembered() {
    let machine = Machine::new();
    Diffusers::new(machine.path("webui/models/Stable-diffusion/photo"), "StableDiffusionPipeline");
    lora(&machine, "webui/models/Lora/style.safetensors");
    let catalog = machine.catalog();
    let added = catalog.add(&addition(&machine.path("webui")), &no_list).expect("added");
    let path = machine.path("webui").canonicalize().expect("there");
    assert_eq!(added, Added::Folder { path: path.clone(), kind: FolderKind::Automatic1111 });
    for catalog in [catalog, machine.catalog()] {
        let items = catalog.scan();
        assert_eq!(item(&items, "photo").origin, Origin::Automatic1111(path.clone()));
        assert_eq!(item(&items, "style.safetensors").kind, ItemKind::Lora);
        let again = catalog.add(&addition(&machine.path("webui")), &no_list).expect_err("known");
        assert!(again.why.contains("already"), "{again}");
    }
}

#[test]
fn a_plain_folder_holds_anything() {
    let machine = Machine::new();
    Diffusers::new(machine.path("mine/photo"), "StableDiffusionPipeline");
    lora(&machine, "mine/style.safetensors");
    let added = machine.catalog().add(&addition(&machine.path("mine")), &no_list).expect("added");
    assert!(matches!(added, Added::Folder { kind: FolderKind::Models, .. }));
    let items = machine.catalog().scan();
    assert_eq!(item(&items, "photo").kind, ItemKind::Model);
    assert_eq!(item(&items, "style.safetensors").kind, ItemKind::Lora);
    assert_eq!(item(&items, "style.safetensors").availability, Availability::Ready);
}

#[test]
fn a_folder_with_nothing_to_paint_with_is_refused_and_not_remembered() {
    let machine = Machine::new();
    machine.write("music/album/song.ogg", "");
    machine.write("music/old.ckpt", "");
    let failure = machine.catalog().add(&addition(&machine.path("music")), &no_list).expect_err("refused");
    assert!(failure.why.contains("no .safetensors file"), "{failure}");
    assert!(machine.catalog().scan().is_empty());
}

#[test]
fn a_thousand_files_are_found() {
    let machine = Machine::new();
    for i in 0..1000 {
        lora(&machine, &format!("home/ComfyUI/models/loras/{}/{i}.safetensors", i % 10));
    }
    machine.write("home/ComfyUI/models/checkpoints/none.txt", "");
    let catalog = machine.catalog();
    let items = catalog.scan();
    assert_eq!(items.iter().filter(|item| item.availability == Availability::Ready).count(), 1000);
    assert_eq!(catalog.scan(), items);
}

#[test]
fn the_hugging_face_cache_is_looked_through_for_models() {
    let machine = Machine::new();
    Diffusers::new(machine.snapshot("someone/photo"), "StableDiffusionPipeline");
    tensors(&machine.snapshot("someone/llm").join("model.safetensors"), &[("model.embed_tokens.weight", &[1])]);
    machine.download("dreamshaper-8");
    let items = machine.catalog().scan();
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!((items[0].name.as_str(), items[0].kind), ("photo", ItemKind::Model));
    assert_eq!(items[0].origin, Origin::Cache { repo: "someone/photo".into() });
}

#[test]
fn listed_models_say_how_much_of_them_is_here() {
    let machine = Machine::new();
    let item = |id: &str| machine.catalog().items().into_iter().find(|item| item.id == id).expect("listed");
    assert_eq!(item("dreamshaper-8").availability, Availability::Absent { have_bytes: 0 });
    assert_eq!(item("dreamshaper-8").origin, Origin::Hub { repo: "Lykon/dreamshaper-8".into() });
    assert_eq!(item("sticker").availability, Availability::Ready);
    assert_eq!(item("taesd").size_bytes.map(|bytes| bytes > 9_000_000), Some(true));
    let repo = machine.snapshot("Lykon/dreamshaper-8").join("../..");
    machine.write("cache/models--Lykon--dreamshaper-8/blobs/abc.incomplete", "0123456789");
    std::fs::create_dir_all(repo.join("snapshots")).expect("create");
    assert_eq!(item("dreamshaper-8").availability, Availability::Absent { have_bytes: 10 });
    machine.download("dreamshaper-8");
    assert_eq!(item("dreamshaper-8").availability, Availability::Ready);
    assert_eq!(item("dreamshaper-8").model.map(|model| model.detail), Some("LCM-LoRA".into()));
}

#[test]
fn a_download_brings_everything_a_model_paints_with() {
    let machine = Machine::new();
    let repos = |id: &str| {
        let mut repos: Vec<_> = machine.catalog().files(id).expect("on the hub").into_iter().map(|f| f.repo).collect();
        repos.dedup();
        repos
    };
    assert_eq!(
        repos("lcm-sdxl"),
        [
            "latent-consistency/lcm-sdxl",
            "stabilityai/stable-diffusion-xl-base-1.0",
            "madebyollin/sdxl-vae-fp16-fix",
            "madebyollin/taesdxl"
        ]
    );
    assert_eq!(
        repos("sd15"),
        ["stable-diffusion-v1-5/stable-diffusion-v1-5", "latent-consistency/lcm-lora-sdv1-5", "madebyollin/taesd"]
    );
    for id in ["sticker", "none"] {
        let failure = machine.catalog().files(id).expect_err("nothing there");
        assert_eq!(failure.kind, FailureKind::Input);
        assert!(failure.why.contains(id), "{failure}");
    }
}

#[test]
fn a_persons_entries_are_used_and_their_mistakes_are_said_with_the_line() {
    let machine = Machine::new();
    let photo = Diffusers::new(machine.path("photo"), "StableDiffusionPipeline");
    let entry = |id: &str, more: &str| {
        format!("[[model]]\nid = \"{id}\"\nname = \"Mine\"\nsource = {{ path = {:?} }}\n{more}\n", photo.path)
    };
    let problems = |text: &str| {
        machine.write("config/models.toml", text);
        let catalog = machine.catalog();
        assert!(catalog.inspect(&ModelRef::new("sticker")).is_ok(), "the rest works");
        catalog.problems().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(problems(&entry("mine", "native_size = { width = 768, height = 512 }")), "");
    let info = machine.catalog().inspect(&ModelRef::new("mine")).expect("known");
    assert_eq!(
        (info.name.as_str(), info.family, info.native_size.to_string().as_str()),
        ("Mine", Family::Sd15, "768x512")
    );

    assert_eq!(problems(&entry("mine", "base = \"mine\"")), "");
    let failure = machine.catalog().inspect(&ModelRef::new("mine")).expect_err("its own base");
    assert!(failure.why.contains("base `mine`"), "{failure}");

    let said = problems(&entry("mine", "sise = 3"));
    assert!(said.contains("models.toml, line 5") && said.contains("sise"), "{said}");
    let said = problems("[[model]\n");
    assert!(said.contains("models.toml, line 1"), "{said}");
    let said = problems(&entry("sticker", ""));
    assert!(said.contains("`sticker` is taken"), "{said}");
}

#[test]
fn files_and_repositories_are_added_to_the_list() {
    let machine = Machine::new();
    let catalog = machine.catalog();
    let add = |what: &str, name: Option<&str>| {
        let addition = Addition { what: what.into(), name: name.map(str::to_owned), kind: None };
        catalog.add(&addition, &|repo, revision| {
            let file = |path: &str| HubFile {
                repo: repo.into(),
                revision: revision.into(),
                path: path.into(),
                size_bytes: Some(7),
                sha256: None,
            };
            Ok(match repo {
                "someone/style" => vec![file("a-lora.safetensors")],
                _ => ["model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors"]
                    .map(file)
                    .to_vec(),
            })
        })
    };
    let id = |added: Result<Added, Failure>| match added.expect("added") {
        Added::Item(item) => (item.id, item.availability),
        Added::Folder { .. } => panic!("it is an item"),
    };
    let photo = Diffusers::new(machine.path("My Photo v2"), "StableDiffusionPipeline");
    let path = photo.path.to_string_lossy().into_owned();
    assert_eq!(id(add(&path, None)), ("my-photo-v2".into(), Availability::Ready));
    assert!(add(&path, None).expect_err("known").why.contains("my-photo-v2"));
    lora(&machine, "style.safetensors");
    let style = machine.path("style.safetensors");
    assert_eq!(id(add(&style.to_string_lossy(), Some("My Photo v2"))), ("my-photo-v2-2".into(), Availability::Ready));
    let absent = Availability::Absent { have_bytes: 0 };
    assert_eq!(id(add("someone/other", None)), ("other".into(), absent.clone()));
    assert_eq!(
        id(add("https://huggingface.co/someone/style/blob/main/a-lora.safetensors", None)),
        ("style".into(), absent)
    );

    let folder = Addition { what: machine.path("").to_string_lossy().into_owned(), ..Addition::default() };
    catalog.add(&folder, &no_list).expect("added");
    assert_eq!(catalog.scan(), [], "what is listed is not found once more");

    for catalog in [&catalog, &machine.catalog()] {
        assert_eq!(catalog.problems(), []);
        assert_eq!(catalog.inspect(&ModelRef::new("my-photo-v2")).expect("known").name, "My Photo v2");
        assert_eq!(catalog.lora("my-photo-v2-2").expect("a LoRA").source, "my-photo-v2-2");
        assert_eq!(catalog.files("other").expect("on the hub").len(), 3);
        assert_eq!(catalog.files("style").expect("on the hub")[0].path, "a-lora.safetensors");
    }
    let typo = add("someone/style/b-lora.safetensors", None).expect_err("neither here nor there");
    assert!(typo.why.contains("b-lora.safetensors"), "{typo}");
    assert!(add("neither/here/nor.there", None).expect_err("nothing").remedy.contains("ORG/NAME"));
    machine.write("broken.safetensors", "12345678");
    assert!(add(&machine.path("broken.safetensors").to_string_lossy(), None).is_err());

    machine.write("config/models.toml", "[[model]\n");
    let failure = add("someone/third", None).expect_err("what cannot be read is not buried");
    assert!(failure.why.contains("line 1"), "{failure}");
}

#[test]
fn a_licence_to_accept_is_said_before_a_download() {
    let machine = Machine::new();
    let source = "[lora.source.hub]\nrepo = \"someone/style\"\nfiles = { \"a.safetensors\" = 7 }\n";
    machine.write("config/models.toml", &format!("[[lora]]\nid = \"a\"\nname = \"A\"\ngated = true\n{source}"));
    let item = machine.catalog().items().into_iter().find(|item| item.id == "a").expect("listed");
    let licence = item.licence.expect("said");
    assert!(licence.ends_with("to be accepted at https://huggingface.co/someone/style"), "{licence}");
}
