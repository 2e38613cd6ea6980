package apierror

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBlank(t *testing.T) {
	for _, blank := range []string{"", " ", "null", `""`, "{}", "[]", "false", "0", ` { "message" : "", "code": null, "inner": {"a": []} }`} {
		require.True(t, Blank([]byte(blank)), blank)
	}
	for _, says := range []string{`"no"`, `{"code":1}`, `{"message":"","inner":{"a":"b"}}`, `[{}]`, "1", "true", "{"} {
		require.False(t, Blank([]byte(says)), says)
	}
}
