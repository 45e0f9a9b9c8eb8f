package org.backplane.kvm.api;

/** Special registers, {@code struct kvm_sregs}. */
public final class KvmSregs {
    public Segment es, cs, ss, ds, fs, gs, ldt, tr;
    public Table gdt, idt;
    public long cr0, cr2, cr3, cr4, cr8, efer, apicBase;

    /** Vectors of external interrupts that are queued and not injected: bit n of word n/64. */
    public final long[] interruptBitmap = new long[4];

    /**
     * A segment register.
     *
     * @param limit in bytes, scaled by G
     */
    public record Segment(
            long base,
            long limit,
            int selector,
            int type,
            boolean present,
            int dpl,
            boolean db,
            boolean s,
            boolean l,
            boolean g,
            boolean avl,
            boolean unusable) {}

    /** A descriptor-table register. */
    public record Table(long base, int limit) {}
}
