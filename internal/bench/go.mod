module github.com/prodailabs/prodai/internal/bench

go 1.26

replace github.com/prodailabs/prodai => ../..
