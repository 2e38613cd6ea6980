package guard_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/prodailabs/prodai/guard"
)

func TestEnumsHaveNames(t *testing.T) {
	for want, value := range map[string]fmt.Stringer{
		"tool_result": guard.StageToolResult,
		"unset":       guard.Policy(0),
		"shadow":      guard.PolicyShadow,
		"none":        guard.PrivilegeNone,
		"user":        guard.PrivilegeUser,
		"developer":   guard.PrivilegeDeveloper,
		"system":      guard.PrivilegeSystem,
		"delimit":     guard.SpotlightDelimit,
		"datamark":    guard.SpotlightDatamark,
		"encode":      guard.SpotlightEncode,
		"plain":       guard.SpotlightPlain,
	} {
		assert.Equal(t, want, value.String())
	}
	for _, value := range []fmt.Stringer{guard.Stage(0), guard.Stage(99), guard.Policy(99), guard.Privilege(99), guard.Spotlight(99)} {
		assert.Equal(t, "unknown", value.String(), "%T", value)
	}
}
