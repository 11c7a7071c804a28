"""What the worker tells Prometheus of the pictures that come."""

from recognition.quality import ImageQuality
from schemas.metrics import Metrics


class QualityHistograms:
    """Counts the grades of each region; sources are not told apart, of which there may be many."""

    def __init__(self, metrics: Metrics) -> None:
        self._sharpness = metrics.quality.labels("sharpness")
        self._size = metrics.quality.labels("size")
        self._exposure = metrics.quality.labels("exposure")
        self._overall = metrics.quality.labels("overall")

    def observe(self, quality: ImageQuality) -> None:
        """Count a region."""
        grades = quality.grades
        self._sharpness.observe(grades.sharpness)
        self._size.observe(grades.size)
        self._exposure.observe(grades.exposure)
        self._overall.observe(grades.overall)
