module github.com/prodailabs/prodai/internal/bench

go 1.26

require github.com/prodailabs/prodai v0.0.0

replace github.com/prodailabs/prodai => ../..
