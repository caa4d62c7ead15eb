//! Files of models from a hub into the Hugging Face cache.
