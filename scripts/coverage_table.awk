# Prints gcovr's CSV as a table, for `make coverage`: the lines and branches of
# each file that the tests ran, and those of all files.

function percent(covered, all) {
    return all ? sprintf("%5.1f %%  (%d of %d)", 100 * covered / all, covered, all) : "-"
}

function row(name, lines_covered, lines, branches_covered, branches) {
    printf "%-40s %-26s %s\n", name, percent(lines_covered, lines), percent(branches_covered, branches)
}

NR == 1 {
    printf "%-40s %-26s %s\n", "file", "lines", "branches"
    next
}

{
    row($1, $3, $2, $6, $5)
    lines += $2
    lines_covered += $3
    branches += $5
    branches_covered += $6
}

END {
    row("total", lines_covered, lines, branches_covered, branches)
}
