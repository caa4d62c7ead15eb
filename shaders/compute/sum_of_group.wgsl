// The sum of a value over a workgroup of GROUP invocations. Where the device has subgroups they add up among themselves,
// and only their sums go through workgroup memory.

var<workgroup> summed: array<vec2<f32>, GROUP>;

//! if SUBGROUPS
struct Place {
    @builtin(local_invocation_index) thread: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32,
    @builtin(subgroup_invocation_id) lane: u32,
}

fn sum_of_group(value: vec2<f32>, place: Place) -> vec2<f32> {
    let own = subgroupAdd(value);
    if place.lane == 0u {
        summed[place.subgroup] = own;
    }
    workgroupBarrier();
    var sum = vec2<f32>();
    for (var i = 0u; i < place.subgroups; i++) {
        sum += summed[i];
    }
    // Before somebody writes the next one's.
    workgroupBarrier();
    return sum;
}
//! else
struct Place {
    @builtin(local_invocation_index) thread: u32,
}

fn sum_of_group(value: vec2<f32>, place: Place) -> vec2<f32> {
    summed[place.thread] = value;
    workgroupBarrier();
    for (var half = GROUP / 2u; half > 0u; half /= 2u) {
        if place.thread < half {
            summed[place.thread] += summed[place.thread + half];
        }
        workgroupBarrier();
    }
    let sum = summed[0];
    // Before somebody writes the next one's.
    workgroupBarrier();
    return sum;
}
//! end
