//! Rectangles in points, y upwards.

/// A rectangle. `bottom <= top`, `left <= right`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rect {
    pub left: f32,
    pub bottom: f32,
    pub right: f32,
    pub top: f32,
}

impl Rect {
    pub fn new(left: f32, bottom: f32, right: f32, top: f32) -> Self {
        Rect { left: left.min(right), bottom: bottom.min(top), right: left.max(right), top: bottom.max(top) }
    }

    pub fn width(&self) -> f32 {
        self.right - self.left
    }

    pub fn height(&self) -> f32 {
        self.top - self.bottom
    }

    pub fn middle(&self) -> f32 {
        (self.bottom + self.top) / 2.0
    }

    pub fn is_finite(&self) -> bool {
        [self.left, self.bottom, self.right, self.top].iter().all(|v| v.is_finite() && v.abs() < 1e6)
    }

    /// The smallest rectangle that holds both.
    pub fn with(&self, other: &Rect) -> Rect {
        Rect {
            left: self.left.min(other.left),
            bottom: self.bottom.min(other.bottom),
            right: self.right.max(other.right),
            top: self.top.max(other.top),
        }
    }

    /// The smallest rectangle that holds all.
    pub fn around<'r>(all: impl IntoIterator<Item = &'r Rect>) -> Option<Rect> {
        all.into_iter().copied().reduce(|a, b| a.with(&b))
    }

    /// The part of the lower one's height at which both stand side by side, 0 to 1.
    pub fn side_by_side(&self, other: &Rect) -> f32 {
        let common = self.top.min(other.top) - self.bottom.max(other.bottom);
        let least = self.height().min(other.height());
        if least <= 0.0 { 0.0 } else { (common / least).clamp(0.0, 1.0) }
    }
}

/// How a page is turned before it is read: quarter turns clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turn(pub u8);

impl Turn {
    /// A rectangle of a sheet of that width and height, as it stands once the
    /// sheet is turned. `width` and `height` are those before the turn.
    pub fn apply(self, rect: &Rect, width: f32, height: f32) -> Rect {
        let Rect { left, bottom, right, top } = *rect;
        match self.0 % 4 {
            1 => Rect::new(bottom, width - left, top, width - right),
            2 => Rect::new(width - left, height - bottom, width - right, height - top),
            3 => Rect::new(height - bottom, left, height - top, right),
            _ => *rect,
        }
    }

    /// The way back of [`Turn::apply`], with the width and height before it.
    pub fn undo(self, rect: &Rect, width: f32, height: f32) -> Rect {
        let (width, height) = if self.0 % 2 == 1 { (height, width) } else { (width, height) };
        Turn((4 - self.0 % 4) % 4).apply(rect, width, height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_can_be_undone() {
        let rect = Rect::new(10.0, 20.0, 40.0, 30.0);
        assert_eq!(Turn(1).apply(&rect, 100.0, 200.0), Rect::new(20.0, 60.0, 30.0, 90.0));
        for quarter in 0..4 {
            let turned = Turn(quarter).apply(&rect, 100.0, 200.0);
            assert_eq!(Turn(quarter).undo(&turned, 100.0, 200.0), rect, "{quarter}");
        }
    }
}
