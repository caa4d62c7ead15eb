/// What lies on a page, from the lowest to the highest; the mask is seen, but is no part of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// What was imported, or painted and kept.
    Picture,
    /// What is drawn by hand.
    Sketch,
    /// What is to be painted anew.
    Mask,
}

/// What a tool leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// A colour, sRGB; on the mask any colour covers.
    Color([u8; 3]),
    /// Takes away what is there.
    Erase,
}

/// A pixel of a layer that can be drawn on. `share` is how much of the ink arrives, 0 … 255.
pub(crate) trait Drawn {
    fn draw(self, ink: Ink, share: u8) -> Self;
}

/// sRGB with premultiplied alpha.
impl Drawn for [u8; 4] {
    fn draw(self, ink: Ink, share: u8) -> Self {
        let kept = 255 - share;
        let Ink::Color([r, g, b]) = ink else { return self.map(|byte| scale(byte, kept)) };
        let [below_r, below_g, below_b, below_a] = self.map(|byte| scale(byte, kept));
        let over = |ink: u8, below: u8| scale(ink, share).saturating_add(below);
        [over(r, below_r), over(g, below_g), over(b, below_b), share.saturating_add(below_a)]
    }
}

/// Coverage.
impl Drawn for [u8; 1] {
    fn draw(self, ink: Ink, share: u8) -> Self {
        let kept = scale(self[0], 255 - share);
        match ink {
            Ink::Color(_) => [kept.saturating_add(share)],
            Ink::Erase => [kept],
        }
    }
}

/// `byte · share / 255`, rounded.
pub(crate) fn scale(byte: u8, share: u8) -> u8 {
    let product = u32::from(byte) * u32::from(share) + 128;
    ((product + (product >> 8)) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_rounds_like_division() {
        for byte in 0..=255u8 {
            for share in 0..=255u8 {
                let exact = (f64::from(byte) * f64::from(share) / 255.0).round() as u8;
                assert_eq!(scale(byte, share), exact, "{byte}·{share}");
            }
        }
    }

    #[test]
    fn whole_ink_covers_and_no_ink_changes_nothing() {
        let below = [10, 20, 30, 200];
        assert_eq!(below.draw(Ink::Color([1, 2, 3]), 255), [1, 2, 3, 255]);
        assert_eq!(below.draw(Ink::Color([1, 2, 3]), 0), below);
        assert_eq!(below.draw(Ink::Erase, 255), [0; 4]);
        assert_eq!([7].draw(Ink::Color([0; 3]), 255), [255]);
        assert_eq!([200].draw(Ink::Erase, 128), [100]);
    }
}
