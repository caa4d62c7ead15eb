//! Logical shapes, and what each operation asks of its operands: the same for every backend, checked before it looks
//! at a number.

mod weights;

pub(crate) use weights::{Kernels, Matrix, norm_weights, table};

use crate::{ComputeError, Epilogue, Result};

/// Logical shape of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) n: usize,
    pub(crate) h: usize,
    pub(crate) w: usize,
    pub(crate) c: usize,
}

/// Logical shape of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) n: usize,
    pub(crate) l: usize,
    pub(crate) c: usize,
}

/// Logical shape of what goes through a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Picture(Picture),
    Tokens(Tokens),
}

impl Shape {
    /// The shape of a picture, or that it is none.
    pub(crate) fn picture(self, what: &str) -> Result<Picture> {
        match self {
            Self::Picture(picture) => Ok(picture),
            Self::Tokens(_) => Err(misfit(what, "a picture", &self)),
        }
    }

    /// The shape of tokens, or that they are none.
    pub(crate) fn tokens(self, what: &str) -> Result<Tokens> {
        match self {
            Self::Tokens(tokens) => Ok(tokens),
            Self::Picture(_) => Err(misfit(what, "tokens", &self)),
        }
    }

    /// Samples, positions of each, channels of each position.
    pub(crate) fn sizes(self) -> [usize; 3] {
        match self {
            Self::Picture(Picture { n, h, w, c }) => [n, h * w, c],
            Self::Tokens(Tokens { n, l, c }) => [n, l, c],
        }
    }

    /// How many values.
    pub(crate) fn len(self) -> usize {
        self.sizes().iter().product()
    }
}

impl From<Picture> for Shape {
    fn from(picture: Picture) -> Self {
        Self::Picture(picture)
    }
}

impl From<Tokens> for Shape {
    fn from(tokens: Tokens) -> Self {
        Self::Tokens(tokens)
    }
}

/// Shapes of an epilogue's operands.
#[derive(Clone, Copy)]
pub(crate) struct Added {
    channels: Option<Shape>,
    residual: Option<Shape>,
}

impl Added {
    pub(crate) fn of<T>(epilogue: &Epilogue<'_, T>, shape: impl Fn(&T) -> Result<Shape>) -> Result<Self> {
        let channels = epilogue.add_channels.map(&shape).transpose()?;
        Ok(Self { channels, residual: epilogue.residual.map(&shape).transpose()? })
    }
}

/// Shape of what is looked up in a table.
pub(crate) fn embed([rows, c]: [usize; 2], ids: &[u32], [n, l]: [usize; 2]) -> Result<Tokens> {
    expect_len("embed ids", ids.len(), &[n, l])?;
    match ids.iter().find(|id| **id as usize >= rows) {
        Some(id) => Err(misfit("embed id", &format!("less than {rows}"), id)),
        None => Ok(Tokens { n, l, c }),
    }
}

/// Shape of a linear layer's output.
pub(crate) fn linear(x: Shape, w: Matrix, added: Added) -> Result<Tokens> {
    let output = Tokens { c: w.outputs, ..product("linear input", x, w)? };
    if let Some(shape) = added.residual {
        expect("linear residual", shape.tokens("linear residual")?, output)?;
    }
    match added.channels {
        Some(shape) => Err(misfit("linear add_channels", "none", &shape)),
        None => Ok(output),
    }
}

/// Shape of a gated layer's output.
pub(crate) fn geglu(x: Shape, w: Matrix) -> Result<Tokens> {
    Ok(Tokens { c: w.outputs / 2, ..product("geglu input", x, w)? })
}

fn product(what: &str, x: Shape, w: Matrix) -> Result<Tokens> {
    let input = x.tokens(what)?;
    expect(&format!("{what} channels"), input.c, w.inputs)?;
    Ok(input)
}

/// A convolution of a picture that is read as one of another size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Convolution {
    pub(crate) input: Picture,
    /// Height and width it is read as.
    pub(crate) resized: [usize; 2],
    pub(crate) output: Picture,
    /// How many samples each vector of the epilogue is added to.
    pub(crate) samples_sharing: usize,
}

/// Shapes of a convolution of `x`, resized to `size`; `None` is as it is.
pub(crate) fn conv2d(x: Shape, size: Option<[usize; 2]>, w: &Kernels, added: Added) -> Result<Convolution> {
    let input = x.picture("conv2d input")?;
    expect("conv2d input channels", input.c, w.inputs)?;
    let resized = size.map_or(Ok([input.h, input.w]), area)?;
    let [h, wide] = w.output_size(resized)?;
    let output = Picture { n: input.n, h, w: wide, c: w.outputs };
    let mut samples_sharing = 1;
    if let Some(shape) = added.channels {
        let found = shape.tokens("conv2d add_channels")?;
        samples_sharing = if found.n == 1 { input.n } else { 1 };
        let vectors = Tokens { n: input.n / samples_sharing.max(1), l: 1, c: w.outputs };
        expect("conv2d add_channels", found, vectors)?;
    }
    if let Some(shape) = added.residual {
        expect("conv2d residual", shape.picture("conv2d residual")?, output)?;
    }
    Ok(Convolution { input, resized, output, samples_sharing })
}

/// Shape of a picture, and of it resized.
pub(crate) fn upsample_nearest(x: Shape, size: [usize; 2]) -> Result<[Picture; 2]> {
    let input = x.picture("upsample_nearest input")?;
    let [h, w] = area(size)?;
    Ok([input, Picture { h, w, ..input }])
}

fn area(size: [usize; 2]) -> Result<[usize; 2]> {
    if size.contains(&0) { Err(misfit("upsampled size", "at least 1 × 1", &size)) } else { Ok(size) }
}

/// How many samples are normalised over `channels` channels.
pub(crate) fn group_norm(x: Shape, channels: usize) -> Result<usize> {
    let [n, _, c] = x.sizes();
    expect("group_norm input channels", c, channels)?;
    Ok(n)
}

pub(crate) fn layer_norm(x: Shape, channels: usize) -> Result<()> {
    expect("layer_norm input channels", x.tokens("layer_norm input")?.c, channels)
}

/// Shapes of queries and of keys.
pub(crate) fn attention(q: Shape, k: Shape, v: Shape, heads: usize) -> Result<[Tokens; 2]> {
    let (queries, keys) = (q.tokens("attention queries")?, k.tokens("attention keys")?);
    expect("attention keys", keys, Tokens { l: keys.l, ..queries })?;
    expect("attention values", v.tokens("attention values")?, keys)?;
    if heads == 0 || !queries.c.is_multiple_of(heads) {
        return Err(misfit("attention channels", &format!("a multiple of {heads} heads"), &queries));
    }
    Ok([queries, keys])
}

pub(crate) fn add(x: Shape, y: Shape) -> Result<()> {
    expect("second operand of add", y, x)
}

/// Shape of the channels of both.
pub(crate) fn concat_channels(x: Shape, y: Shape) -> Result<Shape> {
    let what = "operand of concat_channels";
    Ok(match x {
        Shape::Picture(x) => {
            let y = y.picture(what)?;
            expect(what, Picture { c: x.c, ..y }, x)?;
            Picture { c: x.c + y.c, ..x }.into()
        }
        Shape::Tokens(x) => {
            let y = y.tokens(what)?;
            expect(what, Tokens { c: x.c, ..y }, x)?;
            Tokens { c: x.c + y.c, ..x }.into()
        }
    })
}

/// Shape of a picture that can be seen.
pub(crate) fn shown(x: Shape) -> Result<Picture> {
    let picture = x.picture("show input")?;
    match picture {
        Picture { n: 1, c: 3.., .. } => Ok(picture),
        _ => Err(misfit("show input", "one picture of three channels", &picture)),
    }
}

pub(crate) fn image_to_tokens(x: Shape) -> Result<Tokens> {
    let Picture { n, h, w, c } = x.picture("image_to_tokens input")?;
    Ok(Tokens { n, l: h * w, c })
}

pub(crate) fn tokens_to_image(x: Shape, [h, w]: [usize; 2]) -> Result<Picture> {
    let Tokens { n, l, c } = x.tokens("tokens_to_image input")?;
    expect("tokens_to_image positions", Some(l), h.checked_mul(w))?;
    Ok(Picture { n, h, w, c })
}

/// Shape of all tokens, of which `indices` names one of each sample.
pub(crate) fn select_token(x: Shape, indices: &[usize]) -> Result<Tokens> {
    let input = x.tokens("select_token input")?;
    expect("select_token indices", indices.len(), input.n)?;
    match indices.iter().find(|i| **i >= input.l) {
        Some(i) => Err(misfit("select_token index", &format!("less than {}", input.l), i)),
        None => Ok(input),
    }
}

/// Ends with [`ComputeError::Shape`] where `values` does not hold `shape` or is empty, so that no operation meets a
/// side of no length.
pub(crate) fn expect_len(what: &str, values: usize, shape: &[usize]) -> Result<()> {
    match shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d)) {
        Some(n) if n == values && n > 0 => Ok(()),
        _ => Err(misfit(what, &format!("{shape:?}"), &format!("{values} values"))),
    }
}

/// Ends with [`ComputeError::Shape`] unless the two are equal.
fn expect<T: Copy + PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<()> {
    if found == expected { Ok(()) } else { Err(misfit(what, &format!("{expected:?}"), &found)) }
}

/// A [`ComputeError::Shape`].
fn misfit(what: &str, expected: &str, found: &impl std::fmt::Debug) -> ComputeError {
    ComputeError::Shape { what: what.into(), expected: expected.into(), found: format!("{found:?}") }
}
