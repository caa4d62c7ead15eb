use crate::cli::{out, request::catalog};
use clap::{Args, ValueEnum};
use fourstep_catalog::{Added, Addition, FolderKind};
use fourstep_protocol::{Availability, Failure, ItemKind};

#[derive(Args)]
pub(super) struct AddArgs {
    /// A file, a folder, or a repository of the hub: ORG/NAME, ORG/NAME/FILE.safetensors or its address
    #[arg(value_name = "PATH|REPO")]
    what: String,
    /// What it is called in lists
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What it is, where that is not to be told from the file
    #[arg(long = "as", value_name = "KIND")]
    kind: Option<Kind>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Model,
    Lora,
    Vae,
    TinyDecoder,
}

impl From<Kind> for ItemKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Model => Self::Model,
            Kind::Lora => Self::Lora,
            Kind::Vae => Self::Vae,
            Kind::TinyDecoder => Self::TinyDecoder,
        }
    }
}

/// Adds to the person's own list.
pub(super) fn run(args: &AddArgs) -> Result<(), Failure> {
    let addition = Addition { what: args.what.clone(), name: args.name.clone(), kind: args.kind.map(ItemKind::from) };
    let list = |repo: &str, revision: &str| fourstep_hub::Hub::from_env()?.list(repo, revision);
    match catalog().add(&addition, &list)? {
        Added::Item(item) => {
            out::line(&item.id)?;
            if let Availability::Absent { .. } = item.availability {
                out::note(&format!("Download it with: fourstep models download {}", item.id));
            }
        }
        Added::Folder { path, kind } => {
            out::line(&path.display().to_string())?;
            let whose = match kind {
                FolderKind::ComfyUi => "a ComfyUI folder",
                FolderKind::Automatic1111 => "an AUTOMATIC1111 folder",
                FolderKind::Models => "a folder of models",
            };
            out::note(&format!("It is looked through as {whose}: fourstep models list --all"));
        }
    }
    Ok(())
}
