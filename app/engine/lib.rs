//! Prompt to picture: tokens, noise, samplers, pipeline, worker thread.
