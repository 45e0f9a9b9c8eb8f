package org.backplane.board.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.backplane.board.api.GuestMapping;
import org.backplane.board.api.PageWalk.GuestEntry;
import org.backplane.kvm.core.memory.GuestMemory;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The guest's own tables for people: 32-bit, PAE and 4-level paging. */
class GuestTablesTest {
    private static final long DIRECTORY = 0x1000, TABLE = 0x2000;
    private final GuestMemory memory = new GuestMemory();
    private VcpuContext v;
    private GuestTables tables;

    @BeforeEach
    void create() {
        memory.set(0, 0, 0, 1 << 20, null);
        v = new VcpuContext(0, memory, null);
        tables = new GuestTables(memory, v);
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private void pagingOn(long cr4, long efer, long cr3) {
        v.state.cr0 = CpuState.CR0_PE | CpuState.CR0_PG;
        v.state.cr4 = cr4;
        v.state.efer = efer;
        v.state.cr3 = cr3;
    }

    @Test
    void withoutPagingNothingIsListedAndEverythingIsMapped() {
        assertEquals(List.of(), tables.mappings());
        assertTrue(tables.walk(0x12345));
        assertEquals(List.of(), tables.entries());
    }

    @Test
    void aWalkIsListedToTheEntryThatEndsIt() {
        pagingOn(0, 0, DIRECTORY);
        memory.write(DIRECTORY + 4, 4, TABLE | 3);
        memory.write(TABLE + 8, 4, 0x5000 | 7);
        assertTrue(tables.walk(0x402123));
        assertEquals(List.of(new GuestEntry(2, DIRECTORY + 4, TABLE | 3), new GuestEntry(1, TABLE + 8, 0x5007)), tables.entries());
        assertFalse(tables.walk(0x403000));
        assertEquals(List.of(new GuestEntry(2, DIRECTORY + 4, TABLE | 3), new GuestEntry(1, TABLE + 12, 0)), tables.entries());
        assertFalse(tables.walk(0x800000));
        assertEquals(List.of(new GuestEntry(2, DIRECTORY + 8, 0)), tables.entries());
        assertEquals(0x5007, memory.read(TABLE + 8, 4), "no accessed bit was set");
    }

    @Test
    void neighboursWithTheSameRightsAreOne() {
        pagingOn(CpuState.CR4_PSE | CpuState.CR4_PGE, 0, DIRECTORY);
        memory.write(DIRECTORY, 4, TABLE | 7);
        memory.write(TABLE, 4, 0x5000 | 7);
        memory.write(TABLE + 4, 4, 0x9000 | 7);
        memory.write(TABLE + 8, 4, 0xa000 | 5);
        memory.write(TABLE + 16, 4, 0xb000 | 5);
        memory.write(DIRECTORY + 0xffc, 4, 0xc00000 | 0x183);
        assertEquals(
                List.of(
                        new GuestMapping(0, 0x2000, 0x5000, true, true, false, false),
                        new GuestMapping(0x2000, 0x1000, 0xa000, false, true, false, false),
                        new GuestMapping(0x4000, 0x1000, 0xb000, false, true, false, false),
                        new GuestMapping(0xffc00000L, 0x400000, 0xc00000, true, false, false, true)),
                tables.mappings());
    }

    @Test
    void aBitThatLooksLargeInAPageTableEndsNoWalkAboveIt() {
        pagingOn(0, 0, DIRECTORY);
        memory.write(DIRECTORY, 4, TABLE | 0x83);
        memory.write(TABLE, 4, 0x5003);
        assertTrue(tables.walk(0), "without CR4.PSE bit 7 of a PDE means nothing");
        assertEquals(2, tables.entries().size());
    }

    @Test
    void paeHasNoExecuteAndFourPointers() {
        pagingOn(CpuState.CR4_PAE, CpuState.EFER_NX, 0x3000);
        v.guestPdpte[3] = DIRECTORY | 1;
        memory.write(DIRECTORY, 8, 0x200000L | 0x83 | 1L << 63);
        assertEquals(List.of(new GuestMapping(0xc0000000L, 0x200000, 0x200000, true, false, true, false)), tables.mappings());
        assertTrue(tables.walk(0xc0000000L));
        assertEquals(List.of(3, 2), tables.entries().stream().map(GuestEntry::level).toList());
    }

    @Test
    void addressesOfFourLevelsAreCanonical() {
        pagingOn(CpuState.CR4_PAE, CpuState.EFER_LME | CpuState.EFER_LMA, DIRECTORY);
        memory.write(DIRECTORY + 0xff8, 8, TABLE | 3);
        memory.write(TABLE + 0xff8, 8, 0x40000000L | 0x83);
        assertEquals(List.of(new GuestMapping(-1L << 30, 1L << 30, 0x40000000L, true, false, false, false)), tables.mappings());
    }
}
