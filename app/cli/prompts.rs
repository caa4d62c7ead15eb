//! Wildcards, tags and comments of prompts, as the window follows them.

use super::out;
use fourstep_catalog::Catalog;
use fourstep_prompt::Problem;
use fourstep_protocol::{ModelInfo, Request};
use fourstep_session::{PromptTrouble, speak};

/// What typed prompts come to; what of them could not be followed is said.
pub(super) fn spoken(typed: &Request, catalog: &Catalog, model: &ModelInfo) -> Request {
    let wildcards = crate::wildcards::folder().map(|folder| crate::wildcards::read(&folder)).unwrap_or_default();
    // Files are opened to list them, so only for a prompt that may name one.
    let library = match typed.prompt.contains('<') {
        true => [catalog.items(), catalog.scan()].concat(),
        false => Vec::new(),
    };
    let spoken = speak(typed, &wildcards, &library, model.family);
    spoken.troubles.iter().for_each(|trouble| out::note(&format!("warning: {}", words(trouble))));
    spoken.request
}

fn words(trouble: &PromptTrouble) -> String {
    match trouble {
        PromptTrouble::Syntax(Problem::UnknownWildcard(name)) => {
            let folder = crate::wildcards::folder().unwrap_or_default();
            format!("there is no {name}.txt in {}, so __{name}__ stays as it is", folder.display())
        }
        PromptTrouble::Syntax(Problem::UnknownTag(kind)) => format!("tags such as <{kind}:…> are left out"),
        PromptTrouble::Syntax(Problem::TagWeight(name)) => {
            format!("the weight of <lora:{name}:…> is no number, 1 is used")
        }
        PromptTrouble::UnknownLora(name) => {
            format!("there is no LoRA called {name} (see `fourstep models list`), so it has no effect")
        }
        PromptTrouble::AbsentLora(name) => {
            format!("the LoRA {name} is not downloaded, so it has no effect: `fourstep models download {name}`")
        }
        PromptTrouble::MisfitLora(name) => format!("the LoRA {name} was made for other networks, so it has no effect"),
        PromptTrouble::NegativeLora(name) => {
            format!("the LoRA {name} has no effect in the negative prompt; name it in the prompt")
        }
    }
}
