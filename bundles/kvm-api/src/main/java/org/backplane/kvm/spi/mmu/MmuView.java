package org.backplane.kvm.spi.mmu;

import java.util.List;
import java.util.Optional;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A look inside an MMU: its table pages, who maps a guest page, the walk that the processor makes, and the audit. Nothing here changes
 * anything; answers are copies, valid as of the call.
 *
 * <p><b>Threading.</b> As {@link Mmu}: called with all vCPUs at a boundary.
 *
 * <pre>{@code
 * MmuView view = mmu.view();
 * for (MmuView.TablePage p : view.pages()) System.out.printf("gfn %x %s%n", p.gfn(), p.role());
 * for (MmuView.SpteRef r : view.rmap(gfn)) System.out.printf("table %x entry %d: %x%n", r.frame(), r.index(), r.spte());
 * }</pre>
 */
@ConsumerType
public interface MmuView {
    /** Of an MMU that shows nothing. */
    MmuView NONE = new MmuView() {
        @Override
        public List<TablePage> pages() {
            return List.of();
        }

        @Override
        public List<SpteRef> rmap(long gfn) {
            return List.of();
        }

        @Override
        public List<SpteRef> walk(VcpuContext v, long address) {
            return List.of();
        }

        @Override
        public Optional<AuditReport> audit() {
            return Optional.empty();
        }
    };

    /** The table pages in use, the one used last first. */
    List<TablePage> pages();

    /** The present leaf entries that map a guest page, in no order; empty when the MMU keeps no reverse map or nothing maps it. */
    List<SpteRef> rmap(long gfn);

    /**
     * The entries that the processor reads for an address in a vCPU's active tables, from the top to the first that is not present or is a leaf. A
     * PAE shadow begins with one of the four directory pointers, which are in no frame (frame 0) and give no rights.
     *
     * @param address a gva with shadow paging, a gpa with two-dimensional paging
     */
    List<SpteRef> walk(VcpuContext v, long address);

    /** Compares everything with what it was made of; empty when the MMU has no audit. Costs time in proportion to the tables. */
    Optional<AuditReport> audit();

    /**
     * A page of tables.
     *
     * @param frame host frame that holds the 512 entries
     * @param gfn the guest page table that it shadows; of a direct page the first guest page that it maps
     * @param entries how many entries are present
     * @param parents the entries that point at it, in no order; directory pointers of a PAE root are not among them
     * @param roots how many root pointers of vCPUs name it
     * @param writes writes to the guest's table since the page was last used for a translation (flooding)
     */
    record TablePage(long frame, long gfn, TableRole role, int entries, List<SpteRef> parents, int roots, int writes) {}

    /**
     * What decides, besides the gfn, what a table page holds. Two uses of one guest table with different roles are two pages.
     *
     * @param level 1 for the leaf level, up to 4
     * @param guestLevels levels of the guest's paging: 0 (none), 2, 3, 4
     * @param quadrant part of a table of 1,024 entries, 32-bit paging only: 0 or 1 at level 1, 0 to 3 at level 2
     * @param direct shadows no guest table: a linear range of gpa
     * @param writable the levels above grant writes
     * @param user the levels above grant user accesses
     * @param noExecute a level above forbids fetches
     * @param wp CR0.WP; as the following, only where it matters: the guest's registers when the page was made
     * @param clean a direct part of a large page whose dirty bit is not set
     * @param global a direct part of a global large page
     */
    record TableRole(
            int level,
            int guestLevels,
            int quadrant,
            boolean direct,
            boolean writable,
            boolean user,
            boolean noExecute,
            boolean wp,
            boolean nxe,
            boolean pse,
            boolean smep,
            boolean smap,
            boolean clean,
            boolean global) {
        /** One line such as {@code level 1 of 2, quadrant 3, wux, wp pse}, or {@code level 1 of 2, w-x, direct global, wp pse}. */
        @Override
        public String toString() {
            StringBuilder b = new StringBuilder();
            b.append("level ").append(level).append(guestLevels == 0 ? ", no paging" : " of " + guestLevels);
            if (guestLevels == 2 && !direct) b.append(", quadrant ").append(quadrant);
            b.append(", ").append(writable ? 'w' : '-').append(user ? 'u' : '-').append(noExecute ? '-' : 'x');
            if (direct) b.append(", direct").append(clean ? " clean" : "").append(global ? " global" : "");
            String registers = (wp ? " wp" : "") + (nxe ? " nxe" : "") + (pse ? " pse" : "") + (smep ? " smep" : "") + (smap ? " smap" : "");
            return registers.isEmpty() ? b.toString() : b.append(',').append(registers).toString();
        }
    }

    /**
     * An entry and where it is.
     *
     * @param frame host frame of the table page; 0 for a directory pointer of the vCPU
     * @param level of the table that holds it
     * @param index 0 to 511
     * @param spte its value, see {@link Spte}
     */
    record SpteRef(long frame, int level, int index, long spte) {}
}
