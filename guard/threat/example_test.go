package threat_test

import (
	"fmt"

	"github.com/prodailabs/prodai/guard/threat"
)

// A finding names what it defends against; the names and places in the lists are
// here.
func ExampleLookup() {
	for _, id := range []string{threat.PromptInjection, threat.IndirectInjection, "AML.T9999"} {
		t, ok := threat.Lookup(id)
		if !ok {
			fmt.Println(id, "is in neither list")
			continue
		}
		fmt.Println(t.ID, t.Kind, t.Name)
		for _, of := range t.Parents {
			parent, _ := threat.Lookup(of)
			fmt.Println("  of", parent.ID, parent.Name)
		}
	}
	// Output:
	// LLM01:2025 risk Prompt Injection
	// AML.T0051.001 subtechnique Indirect
	//   of AML.T0051 LLM Prompt Injection
	// AML.T9999 is in neither list
}

// A report by OWASP's ten risks: how many findings a day had of each.
func ExampleAll() {
	findings := []string{threat.PromptInjection, threat.UnboundedConsumption, threat.PromptInjection}
	count := map[string]int{}
	for _, id := range findings {
		count[id]++
	}
	for t := range threat.All() {
		if t.Kind == "risk" && count[t.ID] > 0 {
			fmt.Println(count[t.ID], t.Name)
		}
	}
	// Output:
	// 2 Prompt Injection
	// 1 Unbounded Consumption
}
