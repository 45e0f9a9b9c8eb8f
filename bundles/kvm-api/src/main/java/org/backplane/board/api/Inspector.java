package org.backplane.board.api;

import java.util.List;
import org.backplane.kvm.spi.cpu.VmcsView;
import org.backplane.kvm.spi.mmu.AuditReport;
import org.backplane.kvm.spi.mmu.MmuView.TablePage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Looks inside a machine: the VMCS, VM exits, page tables, the TLB. For shells, monitors and web pages, which do all the formatting.
 *
 * <p><b>Guarantees.</b> Every answer is a record of numbers, texts and lists of these: a copy that is true as of one boundary of the guest and
 * does not change afterwards. Looking changes nothing that the guest can see, and no accessed or dirty bit. What nobody looks at costs
 * nothing: exits are timed only while an {@link ExitWatch} is open, and recorded only while a trace runs.
 *
 * <p><b>Errors.</b> {@link BoardException} when there is no such vCPU, when the machine has ended, or when it waits for a card of its CPU and so has
 * nothing to show; the message says which.
 *
 * <p><b>Threading.</b> Any thread; a call waits for the guest's next boundary, some milliseconds, and holds the guest for the time of the look.
 *
 * <pre>{@code
 * Inspector look = machine.inspector();
 * try (ExitWatch watch = look.watchExits()) {
 *     Thread.sleep(1000);
 *     for (ExitStats.Reason r : look.exits().reasons()) System.out.println(r.name() + " " + r.count() + " " + r.averageNanos());
 * }
 * }</pre>
 */
@ProviderType
public interface Inspector {
    // ---- the processor ----

    /** The VMCS of a vCPU, fields in the order of their encodings; none when the backend has no VMCS. */
    VmcsView vmcs(int vcpu) throws BoardException;

    /** What a vCPU's TLB holds, ordered by rights and linear address. */
    List<TlbEntry> tlb(int vcpu) throws BoardException;

    // ---- VM exits ----

    /** VM exits by reason since the CPU backend was put in service. Still answered after the machine has ended. */
    ExitStats exits();

    /** Exits are timed as long as this or another watch is open. */
    ExitWatch watchExits();

    /**
     * Starts to record exits in a ring, or starts anew with another filter: what was recorded before is dropped.
     *
     * @param size entries that the ring holds, 1 to {@link ExitTrace#LARGEST}
     * @throws BoardException for a size out of range
     */
    void startTrace(ExitTrace.Filter filter, int size) throws BoardException;

    /** Stops recording; what was recorded stays readable. */
    void stopTrace();

    /** The trace as it is now, also while it runs. */
    ExitTrace trace();

    // ---- registers of cards ----

    /**
     * Starts to record the guest's accesses to the registers of the card in a slot, by name; what was recorded before is dropped. The trace is the
     * slot's: it goes on with whatever card comes into it.
     *
     * @throws BoardException if there is no such slot of a device, or its card does not tell
     */
    void startRegisterTrace(String slot) throws BoardException;

    /** Stops recording; what was recorded stays readable. */
    void stopRegisterTrace(String slot) throws BoardException;

    /** The trace of a slot as it is now, also while it runs. */
    RegisterTrace registerTrace(String slot) throws BoardException;

    // ---- page tables ----

    /**
     * Walks an address in the guest's own tables and, beside them, in the tables that the processor walks.
     *
     * @param gva linear address
     */
    PageWalk walk(int vcpu, long gva) throws BoardException;

    /** What the guest's own tables map, ordered by linear address; neighbours with the same rights are one. Empty when paging is off. */
    List<GuestMapping> mappings(int vcpu) throws BoardException;

    /** The MMU in service and what it counts. */
    MmuInfo mmu() throws BoardException;

    /** The MMU's own table pages, the one used last first; none when it does not show them. */
    List<TablePage> pages() throws BoardException;

    /** A guest page: where it is, whether it is shadowed as a page table, and who maps it (the reverse map). */
    GuestFrame frame(long gfn) throws BoardException;

    /**
     * Compares everything in the MMU with what it was made of.
     *
     * @throws BoardException also when the MMU has no audit
     */
    AuditReport audit() throws BoardException;
}
