//! The embedded model's tiny decoder, through the same door as the window.

mod support;

use fourstep_compute::{CancelFloor, CancelToken};
use fourstep_preview::{Decode, DecodeError, half_size};
use fourstep_protocol::Latents;
use support::{decoder, latents};

#[test]
fn latents_become_a_picture_eight_times_larger() {
    let mut decoder = decoder();
    let never = CancelToken::never();
    let picture = decoder.decode(&latents(16), &never).expect("decodes");
    assert_eq!((picture.width(), picture.height()), (128, 128));
    assert!(picture.rgb().iter().any(|b| *b != picture.rgb()[0]), "it is not flat");
    let small = decoder.decode(&half_size(&latents(16)).expect("fills"), &never).expect("decodes");
    assert_eq!((small.width(), small.height()), (64, 64));
}

#[test]
fn a_cancelled_decode_stops_and_broken_latents_are_reported() {
    let mut decoder = decoder();
    let floor = CancelFloor::default();
    floor.raise(1);
    assert_eq!(decoder.decode(&latents(8), &floor.token(0)), Err(DecodeError::Cancelled));
    let broken = Latents { data: vec![f32::NAN; 4 * 64], ..latents(8) };
    assert!(matches!(decoder.decode(&broken, &CancelToken::never()), Err(DecodeError::Failed(_))));
}
