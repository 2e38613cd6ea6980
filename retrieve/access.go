package retrieve

import (
	"context"
	"slices"

	"github.com/prodailabs/prodai/internal/docmeta"
)

// access is who may find a passage.
type access struct {
	sealed bool     // no caller: its metadata can't be understood
	tenant string   // "": every tenant
	groups []string // nil: every group
}

// accessOf reads the rules of a passage's metadata. What can't be understood admits no
// caller, since it was meant to limit.
func accessOf(meta map[string]any) access {
	var a access
	if v, ok := meta[docmeta.Tenant]; ok && v != nil {
		if a.tenant, ok = v.(string); !ok {
			a.sealed = true
		}
	}
	switch v := meta[docmeta.Groups].(type) {
	case nil:
	case []any:
		for _, g := range v {
			name, ok := g.(string)
			if !ok || name == "" {
				a.sealed = true
			}
			a.groups = append(a.groups, name)
		}
		a.sealed = a.sealed || len(v) == 0
	default:
		a.sealed = true
	}
	return a
}

func (a *access) limits() bool { return a.sealed || a.tenant != "" || a.groups != nil }

// A caller is who searches.
type caller struct {
	tenant string
	groups []string
}

func (c *Collection) caller(ctx context.Context) caller {
	var who caller
	if c.o.Tenant != nil {
		who.tenant = c.o.Tenant(ctx)
	}
	if c.o.Groups != nil {
		who.groups = c.o.Groups(ctx)
	}
	return who
}

// allows reports whether a caller may find the passage: by each of the two rules.
func (a *access) allows(who caller) bool {
	switch {
	case a.sealed, a.tenant != "" && a.tenant != who.tenant:
		return false
	case a.groups == nil:
		return true
	}
	return slices.ContainsFunc(a.groups, func(g string) bool { return slices.Contains(who.groups, g) })
}
