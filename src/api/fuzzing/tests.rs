#[path = "../../../fuzz/mutation.rs"]
mod mutation;

#[test]
fn paths_name_groups_or_are_refused() {
    mutation::shake("group_path", super::any_path);
}

#[test]
fn packed_bodies_keep_within_their_limit_or_are_refused() {
    mutation::shake("encoding", super::any_packed_body);
}
