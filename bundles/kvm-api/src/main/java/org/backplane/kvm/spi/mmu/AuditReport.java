package org.backplane.kvm.spi.mmu;

import java.util.List;

/**
 * What an audit of an MMU found.
 *
 * @param checks entries that were compared
 * @param violations the first {@link #MOST} of what is wrong, in the order of discovery
 * @param violationCount how many there are in all
 */
public record AuditReport(long checks, List<Violation> violations, long violationCount) {
    /** Of an MMU that has nothing to compare. */
    public static final AuditReport EMPTY = new AuditReport(0, List.of(), 0);

    /** So many violations are described; more are counted. */
    public static final int MOST = 100;

    /** The rules (kvm-internals: audit invariants). */
    public enum Rule {
        /** The reverse map of a page holds exactly the present leaf entries that map it. */
        RMAP("rmap"),
        /** No entry and no TLB lets the guest write a shadowed page table. */
        WRITE_PROTECTION("write-protection"),
        /** Every present leaf and every MMIO mark maps what a fresh walk of the guest's tables gives, with no right more. */
        TRANSLATION("translation"),
        /** Every present upper entry is a parent of the page that it names, and the other way round. */
        PARENTS("parents"),
        /** An entry exists only where the guest's accessed bits are set, and is writable only where the guest's dirty bit is. */
        ACCESSED_DIRTY("accessed-dirty");

        private final String text;

        Rule(String text) {
            this.text = text;
        }

        /** Its name in reports. */
        public String text() {
            return text;
        }
    }

    /**
     * One violation.
     *
     * @param gfn the guest page concerned: the table that an entry was made of, or the page that is mapped against a rule
     * @param detail one line
     */
    public record Violation(Rule rule, long gfn, String detail) {
        @Override
        public String toString() {
            return String.format("%s: gfn 0x%x: %s", rule.text(), gfn, detail);
        }
    }
}
