//! Every variant of every shader, validated without a device.

use fourstep_compute::gpu::{Shader, shaders};
use naga::valid::{Capabilities, ValidationFlags, Validator};

#[test]
fn every_variant_of_every_shader_is_valid() {
    let shaders = shaders();
    for Shader { name, text, parameters } in &shaders {
        let module =
            naga::front::wgsl::parse_str(text).unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(text)));
        let capabilities = Capabilities::SHADER_FLOAT16 | Capabilities::SUBGROUP | Capabilities::SUBGROUP_BARRIER;
        let mut validator = Validator::new(ValidationFlags::all(), capabilities);
        validator.validate(&module).unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(text)));
        assert_eq!(fields(&module), *parameters, "{name}: its parameters");
        println!("valid: {name}");
    }
    println!("{} shaders", shaders.len());
}

/// Names in the struct that a shader's parameters are.
fn fields(module: &naga::Module) -> Vec<String> {
    let structs = module.types.iter().filter(|(_, ty)| ty.name.as_deref() == Some("Parameters"));
    let members = structs.filter_map(|(_, ty)| match &ty.inner {
        naga::TypeInner::Struct { members, .. } => Some(members),
        _ => None,
    });
    members.flatten().filter_map(|member| member.name.clone()).collect()
}
