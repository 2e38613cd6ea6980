//go:build !unix

package growth

import "time"

// ProcessorTime is the time since the process started.
func ProcessorTime() time.Duration { return time.Since(began) }

var began = time.Now()
