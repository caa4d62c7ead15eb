//! What shaders are told, field by field as their structs `Parameters` have it.

/// A struct of numbers that is written word by word.
macro_rules! parameters {
    ($(#[$about:meta])* $name:ident { $($field:ident),* $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default)]
        pub(super) struct $name {
            $(pub(super) $field: u32),*
        }

        impl $name {
            pub(super) const NAMES: &[&str] = &[$(stringify!($field)),*];

            pub(super) fn words(&self) -> Vec<u32> {
                vec![$(self.$field),*]
            }
        }
    };
}

parameters! {
    /// `product_parameters.wgsl`
    Product {
        first_row, rows, inner, slices, slices_per_split, panels, first_panel, first_quad, quads, x_start, y_start,
        residual_start, splits, flags, rows_per_vector, activation, height, width, resized_height, resized_width,
        out_height, out_width, kernel_width, taps, stride, padding,
    }
}

parameters! {
    /// `attention.wgsl`; `scale` is an f32.
    Attention {
        sample, queries, keys, channels, quads, heads, blocks, first_block, first_item, causal, scale, q_start, k_start,
        v_start, y_start,
    }
}

parameters! {
    /// `layer_norm.wgsl`; `epsilon` is an f32.
    LayerNorm { first_row, channels, quads, epsilon, x_start, y_start }
}

parameters! {
    /// `group_norm_parameters.wgsl`; `epsilon` is an f32.
    GroupNorm {
        positions, chunk, first_chunk, chunks, channels, quads, groups, epsilon, activation, first, count, x_start, y_start,
    }
}

parameters! {
    /// `elementwise.wgsl`
    Elementwise { first, count, x_start, second_start, y_start, activation }
}

parameters! {
    /// `concat_channels.wgsl`
    ConcatChannels { first_row, rows, x_channels, x_quads, second_quads, quads, x_start, second_start, y_start }
}

parameters! {
    /// `upsample_nearest.wgsl`
    UpsampleNearest { first_line, lines, height, width, out_height, out_width, quads, x_start, y_start }
}

parameters! {
    /// `show.wgsl`
    Show { height, width, quads }
}
