module parley/tools/load

go 1.26.8
