// x · Wᵀ + bias on tokens, then the epilogue; 1×1 convolutions of stride 1 too.

//! include product.wgsl
//! include read_rows.wgsl
//! include store_product.wgsl
