package injection_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prodailabs/prodai/guard/injection"
	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenDecode(t *testing.T) {
	golden.Rows(t, "guard", "decode.jsonl", func(row struct {
		Transform    string
		Text         string
		MustContain  string `json:"must_contain"`
		NFKC         string `json:"nfkc"`
		NFKCCasefold string `json:"nfkc_casefold"`
		MustFlag     *bool  `json:"must_flag"`
	}) error {
		readings, truncated := injection.Decode(row.Text, injection.Limits{})
		if truncated {
			return fmt.Errorf("a limit was reached")
		}
		if row.MustContain == "" {
			if got := injection.NFKC(row.Text); got != row.NFKC {
				return fmt.Errorf("NFKC gives %q, want %q", got, row.NFKC)
			}
			if got := injection.Fold(row.Text); got != row.NFKCCasefold {
				return fmt.Errorf("Fold gives %q, want %q", got, row.NFKCCasefold)
			}
			return nil
		}
		var seen []string
		for _, c := range readings {
			if strings.Contains(strings.ToLower(c.Text), row.MustContain) {
				return nil
			}
			seen = append(seen, fmt.Sprintf("%v %.60q", c.Steps, c.Text))
		}
		return fmt.Errorf("%s: none of %s", row.Transform, strings.Join(seen, " | "))
	})
}
