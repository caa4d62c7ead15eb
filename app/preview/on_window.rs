use crate::DecodeError;
use fourstep_compute::{
    Backend, CancelToken,
    gpu::{Gpu, Recording, Tensor},
};
use fourstep_nets::TinyAutoencoder;
use fourstep_protocol::Latents;

/// Something that leaves a preview on the window's graphics card, where it can be drawn as it lies there.
pub trait Show: Send {
    /// Latents `[1, 4, h, w]` → a texture of any size, `rgba8unorm`.
    ///
    /// # Errors
    /// [`DecodeError::Cancelled`] where the token says so; a fault otherwise.
    fn show(&mut self, latents: &Latents, cancel: &CancelToken) -> Result<wgpu::Texture, DecodeError>;
}

/// What the card may be kept busy with at a time, in seconds: the window's own drawing waits for no more than this.
const SLICE_SECS: f64 = 0.003;

/// The tiny autoencoder's decoder on the device that the window draws with. Its operations are recorded once for each
/// size and handed in by slices, and what nobody waits for any more is left undone.
pub struct WindowDecoder {
    device: wgpu::Device,
    gpu: Gpu,
    autoencoder: TinyAutoencoder<Gpu>,
    recorded: Option<Recorded>,
}

/// The decoder's operations for one size.
struct Recorded {
    shape: [usize; 4],
    recording: Recording,
    latents: Tensor,
    /// In −1…1.
    picture: Tensor,
}

impl WindowDecoder {
    /// `gpu` is on `device`; `autoencoder` must have been loaded on `gpu`.
    pub fn new(device: wgpu::Device, gpu: Gpu, autoencoder: TinyAutoencoder<Gpu>) -> Self {
        Self { device, gpu, autoencoder, recorded: None }
    }

    fn recorded(&mut self, latents: &Latents) -> Result<&mut Recorded, DecodeError> {
        let shape = latents.shape();
        let recorded = match self.recorded.take() {
            Some(recorded) if recorded.shape == shape => recorded,
            _ => {
                let (recording, (latents, picture)) = self.gpu.record(|gpu| {
                    let x = gpu.upload_image(&latents.data, shape)?;
                    let picture = self.autoencoder.decode(gpu, &x)?;
                    Ok((x, picture))
                })?;
                Recorded { shape, recording, latents, picture }
            }
        };
        Ok(self.recorded.insert(recorded))
    }

    fn texture(&self, [height, width]: [usize; 2]) -> wgpu::Texture {
        self.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("preview"),
            size: wgpu::Extent3d { width: width as u32, height: height as u32, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Rgba8Unorm,
            usage: wgpu::TextureUsages::STORAGE_BINDING
                | wgpu::TextureUsages::TEXTURE_BINDING
                | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        })
    }
}

impl Show for WindowDecoder {
    fn show(&mut self, latents: &Latents, cancel: &CancelToken) -> Result<wgpu::Texture, DecodeError> {
        if !latents.is_finite() {
            return Err(DecodeError::Failed("the latents hold values that are not numbers (NaN or infinity)".into()));
        }
        cancel.check()?;
        let gpu = self.gpu.with_cancel(cancel.clone());
        let recorded = self.recorded(latents)?;
        recorded.recording.write_image(&recorded.latents, &latents.data)?;
        while recorded.recording.advance(SLICE_SECS)?.is_continue() {
            // Nothing is handed in beyond what is being computed: a frame that comes now comes next.
            gpu.finish()?;
        }
        let picture = recorded.picture.clone();
        // Each has its own: the one before it is still being drawn.
        let texture = self.texture(gpu.image_size(&picture)?);
        gpu.show(&picture, &texture.create_view(&wgpu::TextureViewDescriptor::default()))?;
        gpu.finish()?;
        Ok(texture)
    }
}
