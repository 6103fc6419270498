//! Reading everything once, to rebuild what was known.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::queue::core::Core;
use crate::queue::segment::Segment;
use crate::queue::window::{Frame, Window};
use crate::queue::{Position, QueueError, Record};

/// The records that were committed when it was made, oldest first.
#[derive(Debug)]
pub(super) struct Scan {
    core: Arc<Core>,
    segments: VecDeque<Segment>,
    at: Position,
    window: Window,
}

impl Scan {
    pub(super) fn from(core: &Arc<Core>, at: Position) -> Self {
        let log = core.log();
        let segments = log
            .segments
            .iter()
            .filter(|segment| segment.end > at)
            .cloned()
            .collect();
        Self {
            core: Arc::clone(core),
            segments,
            at,
            window: Window::default(),
        }
    }

    fn step(&mut self, segment: &Segment) -> std::io::Result<Option<(Position, Record)>> {
        let position = self.at;
        match self.window.frame(segment, position)? {
            Frame::Whole { record, end } => {
                self.at = end;
                Ok(Some((position, record)))
            }
            Frame::Damaged => {
                self.at = self.window.next_whole(segment, position)?.unwrap_or(segment.end);
                Ok(None)
            }
        }
    }
}

impl Iterator for Scan {
    type Item = Result<(Position, Record), QueueError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let segment = self.segments.front()?.clone();
            self.at = self.at.max(segment.id.first_frame());
            if self.at >= segment.end {
                self.segments.pop_front();
                self.window = Window::default();
                continue;
            }
            match self.step(&segment) {
                Ok(None) => {}
                Ok(Some(found)) => return Some(Ok(found)),
                Err(error) => {
                    self.segments.clear();
                    let place = self.core.storage.place(&segment.id.file_name());
                    return Some(Err(QueueError::io("read", place, error)));
                }
            }
        }
    }
}
