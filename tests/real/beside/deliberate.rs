//! What the bridge does otherwise than a Pushgateway, on purpose.

/// A deliberate difference; there are no others (DESIGN 3.1, `docs/adr/0009-pushgateway-behaviours.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deliberate {
    /// A path value that is not UTF-8 is refused with no side effect.
    PathValueThatIsNotUtf8,
    /// A body that claims an encoding it does not have is refused with no side effect.
    BodyThatIsNotPackedAsItSays,
    /// An unknown `Content-Encoding` is refused.
    UnknownEncoding,
    /// Bodies may be packed by zstd and deflate.
    MoreEncodings,
    /// OpenMetrics text is read as such when the content type says so.
    OpenMetricsBody,
    /// `GET /metrics` offers OpenMetrics.
    OpenMetricsShown,
    /// A group that several Flink processes share keeps the series of each.
    SharedGroup,
    /// Groups end, so the ghost groups of failed pushes do too.
    GroupsEnd,
    /// One bad push never hurts another pusher, by wedging the gateway or by bringing a handler down.
    BadPushHurtsNobodyElse,
    /// `GET /metrics` shows pushed series and our own: names are taken that are taken there, and free that are free here.
    OwnNames,
    /// `pushgateway.success_status: 202`, for old clients that accept nothing else.
    SuccessStatus,
}

impl Deliberate {
    /// All there are.
    pub(crate) const ALL: [Self; 11] = [
        Self::PathValueThatIsNotUtf8,
        Self::BodyThatIsNotPackedAsItSays,
        Self::UnknownEncoding,
        Self::MoreEncodings,
        Self::OpenMetricsBody,
        Self::OpenMetricsShown,
        Self::SharedGroup,
        Self::GroupsEnd,
        Self::BadPushHurtsNobodyElse,
        Self::OwnNames,
        Self::SuccessStatus,
    ];
}
