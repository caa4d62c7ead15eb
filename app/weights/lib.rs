//! Files to named tensors: diffusers folders, LoRA files, merging.
