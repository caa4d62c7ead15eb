//! Latents to something to look at while the run goes on.
