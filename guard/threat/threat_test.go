package threat_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/guard/threat"
	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenThreatIDs(t *testing.T) {
	golden.Rows(t, "guard", "threat_ids.jsonl", func(row struct {
		ID, Kind, Name, Parent string
		Tactics                []string
	}) error {
		got, ok := threat.Lookup(row.ID)
		of := row.Tactics
		if row.Parent != "" {
			of = []string{row.Parent}
		}
		if !ok || got.Kind != row.Kind || got.Name != row.Name || !slices.Equal(got.Parents, of) {
			return fmt.Errorf("got %+v", got)
		}
		return nil
	})
}

func TestConstantsAreInTheLists(t *testing.T) {
	for id, name := range map[string]string{
		threat.PromptInjection: "Prompt Injection", threat.SensitiveDisclosure: "Sensitive Information Disclosure",
		threat.OutputHandling: "Improper Output Handling", threat.ExcessiveAgency: "Excessive Agency",
		threat.PromptLeakage: "System Prompt Leakage", threat.UnboundedConsumption: "Unbounded Consumption",
		threat.LLMInjection: "LLM Prompt Injection", threat.DirectInjection: "Direct", threat.IndirectInjection: "Indirect",
		threat.Jailbreak: "LLM Jailbreak", threat.SystemPromptExtraction: "Extract LLM System Prompt", threat.DataLeakage: "LLM Data Leakage",
		threat.UnsecuredCredentials: "Unsecured Credentials", threat.Obfuscation: "LLM Prompt Obfuscation",
	} {
		got, ok := threat.Lookup(id)
		require.True(t, ok, id)
		require.Equal(t, name, got.Name)
	}
	_, ok := threat.Lookup("LLM11:2025")
	require.False(t, ok)
	n := 0
	for range threat.All() {
		n++
	}
	require.Equal(t, 231, n)
}
