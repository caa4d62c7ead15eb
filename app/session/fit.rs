use crate::{Notice, bond::fit_bonds};
use fourstep_protocol::{Blended, Init, LoraRef, Mask, ModelInfo, Request};

/// Brings every number of a request into the range of its model and sampler, so that it always validates.
///
/// Returns a notice for each value a person would miss.
pub(crate) fn fit(request: &mut Request, model: &ModelInfo) -> Vec<Notice> {
    let mut told = Vec::new();
    let size = request.size.nearest();
    if size != request.size {
        told.push(Notice::Size { asked: request.size, used: size });
        request.size = size;
    }
    let (steps, range) = (request.steps, request.sampler.steps());
    request.steps = steps.clamp(*range.start(), *range.end());
    if request.steps != steps {
        told.push(Notice::Steps { asked: steps, used: request.steps, sampler: request.sampler });
    }
    told.extend(fit_guidance(request, model));
    let (least, most) = (*LoraRef::WEIGHTS.start(), *LoraRef::WEIGHTS.end());
    for lora in &mut request.loras {
        lora.weight = if lora.weight.is_nan() { 0.0 } else { lora.weight.clamp(least, most) };
    }
    fit_blend(&mut request.blend);
    if let Some(init) = &mut request.init {
        told.extend(fit_init(init));
    }
    fit_bonds(request, model);
    told
}

/// Parts that are more than the whole are made smaller alike.
fn fit_blend(blend: &mut Vec<Blended>) {
    blend.truncate(Blended::MOST);
    for other in blend.iter_mut() {
        other.weight = if other.weight.is_nan() { 0.0 } else { other.weight.clamp(0.0, 1.0) };
    }
    let sum = blend.iter().map(|other| other.weight).sum::<f32>();
    if sum > 1.0 {
        blend.iter_mut().for_each(|other| other.weight /= sum);
    }
}

/// A notice where a mask is left out.
pub(crate) fn fit_init(init: &mut Init) -> Option<Notice> {
    init.strength = if init.strength.is_nan() { 1.0 } else { init.strength.clamp(0.01, 1.0) };
    if let Some(mask) = &mut init.mask {
        let most = *Mask::MARGIN_PX.end();
        (mask.grow_px, mask.feather_px) = (mask.grow_px.min(most), mask.feather_px.min(most));
    }
    init.validate().err()?;
    init.mask = None;
    Some(Notice::Mask)
}

fn fit_guidance(request: &mut Request, model: &ModelInfo) -> Option<Notice> {
    let (scale, range) = (request.guidance_scale, model.guidance_range(request.sampler));
    let asked = if scale.is_nan() { model.live.guidance_scale } else { scale };
    request.guidance_scale = asked.max(*range.start()).min(*range.end());
    let fitted = request.guidance_scale;
    let (guidance, sampler) = (model.guidance, request.sampler);
    (fitted != scale && !scale.is_nan()).then_some(Notice::Guidance { asked: scale, used: fitted, guidance, sampler })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Settings, settings::no_model};
    use fourstep_protocol::{Coverage, Guidance, Picture, Sampler, Size};

    #[test]
    fn whatever_goes_in_a_valid_request_comes_out() {
        for guidance in [Guidance::ClassifierFree, Guidance::Embedded { min: 3.0, max: 13.0 }, Guidance::None] {
            let model = ModelInfo { guidance, ..no_model() };
            for scale in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 7.0] {
                for side in [0, 63, 100, 4095, u32::MAX] {
                    for (steps, sampler) in [(0, Sampler::Lcm), (u32::MAX, Sampler::Ddim), (25, Sampler::Lcm)] {
                        let mut r = Settings::sample(&[]).request;
                        (r.guidance_scale, r.steps, r.sampler) = (scale, steps, sampler);
                        r.size = Size::new(side, 128);
                        r.loras = [f32::NAN, 9.0].map(|weight| LoraRef { source: "x".into(), weight }).to_vec();
                        let part = |weight| Blended { prompt: "x".into(), weight };
                        r.blend = [scale, 0.7, 0.7, 0.1].map(part).to_vec();
                        fit(&mut r, &model);
                        assert_eq!(r.validate(&model), Ok(()), "{guidance:?} {scale} {side} {steps} {sampler:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_mask_that_does_not_fit_is_left_out() {
        let model = no_model();
        for (bytes, kept) in [(vec![255; 4], true), (vec![0; 4], false), (vec![255; 6], false)] {
            let coverage = Coverage::from_rows(2, &bytes);
            let mask = Some(Mask { coverage, grow_px: 9999, feather_px: 0 });
            let picture = Picture::from_rows(2, &[[9; 3]; 4]);
            let init = Some(Init { mask, ..Init::new(picture, 7.0) });
            let mut r = Request { init, ..Settings::sample(&[]).request };
            assert_eq!(fit(&mut r, &model).is_empty(), kept);
            assert_eq!(r.validate(&model), Ok(()));
            assert_eq!(r.init.and_then(|init| init.mask).is_some(), kept);
        }
    }

    #[test]
    fn a_person_is_told_what_was_clamped() {
        let model = no_model();
        let mut r = Request { guidance_scale: 7.0, ..Settings::sample(&[]).request };
        let told = fit(&mut r, &model);
        assert!(matches!(told[..], [Notice::Guidance { asked: 7.0, used: 2.0, .. }]), "{told:?}");
        assert!(fit(&mut r, &model).is_empty());
    }
}
