package overload_test

import (
	"fmt"

	"github.com/prodailabs/prodai/retry/overload"
)

// A spike of ten seconds, with full jitter and with the default policies.
func ExampleRun() {
	for _, s := range overload.Strategies() {
		if s.Name != "full_jitter_x5" && s.Name != overload.Defaults {
			continue
		}
		r, err := overload.Run(overload.ScenarioQueueMetastable, s, 1)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%-15s answered %2.0f %%, and %2.0f a second of the %.0f that arrive long after it\n",
			s.Name, 100*float64(r.OK)/float64(r.Requests), r.LateGoodput, overload.ScenarioQueueMetastable.Offered())
	}
	// Output:
	// full_jitter_x5  answered 21 %, and  0 a second of the 28 that arrive long after it
	// defaults        answered 99 %, and 30 a second of the 28 that arrive long after it
}
