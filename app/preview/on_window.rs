use crate::{DecodeError, Turns, decode::check_finite, turns::Recorded};
use fourstep_compute::{Backend, CancelToken, gpu::Gpu};
use fourstep_nets::TinyAutoencoder;
use fourstep_protocol::Latents;

/// Something that leaves a preview on the window's graphics card, where it can be drawn as it lies there.
pub trait Show: Send {
    /// Latents `[1, 4, h, w]` → a texture of any size, `rgba8unorm`; the next preview may be written into the same one.
    ///
    /// # Errors
    /// [`DecodeError::Cancelled`] where the token says so; a fault otherwise.
    fn show(&mut self, latents: &Latents, cancel: &CancelToken) -> Result<wgpu::Texture, DecodeError>;
}

/// The tiny autoencoder's decoder on the device that the window draws with. Its operations are recorded once for each
/// size, handed in by slices when the window has its [`Turns`], and what nobody waits for any more is left undone.
pub struct WindowDecoder {
    device: wgpu::Device,
    gpu: Gpu,
    autoencoder: TinyAutoencoder<Gpu>,
    turns: Turns,
    ready: Option<Ready>,
}

/// The decoder's operations for one size, and where they leave the picture.
struct Ready {
    shape: [usize; 4],
    recorded: Recorded,
    texture: wgpu::Texture,
}

impl WindowDecoder {
    /// `gpu` is on `device`, which draws the window that has these turns; `autoencoder` must have been loaded on `gpu`.
    pub fn new(device: wgpu::Device, gpu: Gpu, autoencoder: TinyAutoencoder<Gpu>, turns: Turns) -> Self {
        Self { device, gpu, autoencoder, turns, ready: None }
    }

    fn ready(&mut self, latents: &Latents) -> Result<Ready, DecodeError> {
        let shape = latents.shape();
        if let Some(ready) = self.ready.take().filter(|ready| ready.shape == shape) {
            return Ok(ready);
        }
        let mut texture = None;
        let (recording, latents) = self.gpu.record(|gpu| {
            let x = gpu.upload_image(&latents.data, shape)?;
            let picture = self.autoencoder.decode(gpu, &x)?;
            let texture = texture.insert(self.texture(gpu.image_size(&picture)?));
            gpu.show(&picture, &texture.create_view(&wgpu::TextureViewDescriptor::default()))?;
            Ok(x)
        })?;
        let texture = texture.ok_or_else(|| DecodeError::Failed("nothing was recorded".into()))?;
        Ok(Ready { shape, recorded: Recorded { recording, latents }, texture })
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
        check_finite(latents)?;
        cancel.check()?;
        let Ready { shape, recorded, texture } = self.ready(latents)?;
        let (recorded, ended) = self.turns.compute(recorded, latents.data.clone(), cancel);
        self.ready = Some(Ready { shape, recorded, texture: texture.clone() });
        ended.map(|()| texture)
    }
}
