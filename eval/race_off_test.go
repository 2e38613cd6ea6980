//go:build !race

package eval

// raceDetector says whether the race detector is on, under which sync.Pool
// drops what it is given at random.
const raceDetector = false
