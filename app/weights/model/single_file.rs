use super::ModelFiles;
use crate::{Checkpoint, Fault, Result};
use std::path::Path;

pub(super) fn open(path: &Path) -> Result<ModelFiles> {
    Checkpoint::open_file(path)?;
    Err(Fault::UnknownModel("its keys are not known".into()).of(path.display().to_string()))
}
