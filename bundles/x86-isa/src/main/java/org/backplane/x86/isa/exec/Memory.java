package org.backplane.x86.isa.exec;

/**
 * Guest memory by linear address, where the inline TLB look-up of {@link Cpu} does not answer. Sizes are 1, 2, 4 or 8; an access
 * may cross a page. Segmentation, alignment and data breakpoints are already checked. Methods unwind ({@link Unwind}) when
 * the access does not happen; a write that crosses a page stores nothing then.
 *
 * <p>{@code access} is a bit set of {@code Intercepts.READ, WRITE, USER, FETCH} and {@link #SYSTEM}. A read with WRITE
 * belongs to a read-modify-write instruction and demands a writable page.
 */
public interface Memory {
    /** An implicit access: descriptor table, TSS, fetch. Never with USER rights. */
    int SYSTEM = 1 << 8;

    long read(Cpu c, long gva, int size, int access);

    void write(Cpu c, long gva, int size, long value, int access);

    /**
     * Compares and exchanges atomically.
     *
     * @return the value found; the store happened if it equals {@code expected}
     */
    long compareExchange(Cpu c, long gva, int size, long expected, long value, int access);

    /** Demands that a byte can be written, and does nothing else. */
    void probeWrite(Cpu c, long gva, int access);

    /** Host address of a byte in a page that may be read plainly up to its end, or 0. Never unwinds. */
    long hostForRead(Cpu c, long gva, int access);

    /** The same for writing: a page with neither MMIO nor code nor a write-protected table in it. */
    long hostForWrite(Cpu c, long gva, int access);
}
