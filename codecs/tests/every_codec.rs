//! Every codec goes through the same cases.

mod common;

for_every_codec! {
    crate::common::cases:
    every_item_survives_the_round_trip,
    encoding_appends_to_the_buffer,
    a_reference_is_encoded_like_its_item,
    many_frames_in_one_buffer_come_out_in_order,
    frames_may_be_split_at_every_byte,
    frames_may_arrive_one_byte_at_a_time,
    an_empty_buffer_holds_no_frame,
    a_truncated_frame_stays_in_the_buffer_whole,
    the_end_of_the_stream_makes_no_item_of_a_part_with_a_known_length,
    an_item_at_the_limit_passes_both_ways,
    an_item_over_the_limit_is_not_encoded_and_the_next_one_is,
    a_frame_over_the_limit_consumes_nothing,
    a_clone_has_the_limit_and_none_of_the_state,
}

/// For `LengthDelimited` there is no such frame.
mod malformed {
    crate::for_codec! {
        lines, crate::common::OfLines, crate::common::cases:
        a_malformed_frame_is_consumed_and_the_next_one_is_read,
        a_malformed_frame_is_not_judged_before_it_is_whole,
    }

    crate::for_every_format! {
        crate::common::cases:
        a_malformed_frame_is_consumed_and_the_next_one_is_read,
        a_malformed_frame_is_not_judged_before_it_is_whole,
    }
}
