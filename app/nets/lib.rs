//! CLIP, U-Net and autoencoders, written once, generic over the backend.
