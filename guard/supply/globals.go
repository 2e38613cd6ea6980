package supply

import (
	_ "embed"
	"strings"
	"sync"
)

// A verdict is what the lists say of an import.
type verdict struct {
	allowed bool
	danger  string // what a known attack does with it
}

// Each line of globals.tsv has a mark (+ allowed, - dangerous), a module, a name, and
// for the dangerous ones what they do. A module that ends in .* has all its
// submodules; the name * has every name.
//
//go:embed globals.tsv
var globalsTable string

// A list answers for a module's names.
type list struct {
	exact map[Global]verdict
	below map[string]verdict // module, for every name in it and in its submodules
}

var lists = sync.OnceValue(func() list {
	l := list{map[Global]verdict{}, map[string]verdict{}}
	for line := range strings.Lines(globalsTable) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(f) < 3 {
			continue
		}
		v := verdict{allowed: f[0] == "+"}
		if !v.allowed {
			v.danger = f[3]
		}
		for name := range strings.FieldsSeq(f[2]) {
			if name == "*" {
				l.below[f[1]] = v
			} else {
				l.exact[Global{f[1], name}] = v
			}
		}
	}
	return l
})

// python2 has the new names of Python 2's modules, which protocols 0 to 2 use.
var python2 = map[string]string{
	"__builtin__": "builtins", "copy_reg": "copyreg", "cPickle": "_pickle", "httplib": "http.client", "urllib2": "urllib.request",
	"numpy._core.multiarray": "numpy.core.multiarray", "numpy._core.numeric": "numpy.core.numeric", "nt": "posix",
}

// judge looks an import up. What no list has is neither allowed nor known as dangerous.
func (l list) judge(g Global) verdict {
	if now, ok := python2[g.Module]; ok {
		g.Module = now
	}
	if v, ok := l.exact[g]; ok {
		return v
	}
	// A name with a dot reaches through an object: builtins, then dict.get.
	for name := g.Name; strings.Contains(name, "."); {
		name = name[:strings.LastIndexByte(name, '.')]
		if v, ok := l.exact[Global{g.Module, name}]; ok && v.danger != "" {
			return v
		}
	}
	for module := g.Module; ; {
		if v, ok := l.below[module]; ok {
			return v
		}
		cut := strings.LastIndexByte(module, '.')
		if cut < 0 {
			return verdict{}
		}
		module = module[:cut]
	}
}

// judge returns how the scanner judges imports: by its own list, then by [Options.Allow].
func (s *Scanner) judge(g Global) verdict {
	v := lists().judge(g)
	if v.danger == "" && s.allow[g] {
		v.allowed = true
	}
	return v
}
