/// What the stage shows.
///
/// A new view gets a variant here and in [`ALL`](Self::ALL), a cell in `ui/stage/tabs.rs` and a file of its own in
/// `ui/stage/`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tab {
    /// The live picture.
    #[default]
    Picture,
    /// The live picture beside the same in many steps.
    Twin,
    /// Pictures in rows and columns, each with a setting of its own.
    Grid,
    /// A page to draw on beside what is painted of it.
    Canvas,
    /// The saved pictures.
    Gallery,
}

impl Tab {
    /// Every tab, in the order they stand in.
    pub const ALL: [Self; 5] = [Self::Picture, Self::Twin, Self::Grid, Self::Canvas, Self::Gallery];

    /// The tab `by` places to the right, and around the end.
    pub fn turned(self, by: i32) -> Self {
        let at = Self::ALL.iter().position(|tab| *tab == self).unwrap_or_default() as i32;
        Self::ALL[(at + by).rem_euclid(Self::ALL.len() as i32) as usize]
    }
}
