package org.backplane.kvm.core.memory;

import static org.junit.jupiter.api.Assertions.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.backplane.kvm.api.KvmException;
import org.backplane.kvm.api.KvmException.Errno;
import org.backplane.kvm.api.Vm;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Memory slots with the rules and error codes of KVM_SET_MEMORY_REGION, and the one door for writes. */
class GuestMemoryTest {
    private final GuestMemory memory = new GuestMemory();

    @AfterEach
    void close() {
        memory.close();
    }

    private static void refused(Errno errno, Runnable call) {
        assertEquals(errno, assertThrows(KvmException.class, call::run).errno());
    }

    @Test
    void addressAndSizeMustBePageAligned() {
        refused(Errno.EINVAL, () -> memory.set(0, 0, 0x800, 4096, null));
        refused(Errno.EINVAL, () -> memory.set(0, 0, 0, 4097, null));
    }

    @Test
    void aRegionMayNotWrapAround() {
        refused(Errno.EINVAL, () -> memory.set(0, 0, Long.MAX_VALUE & ~4095L, 8192, null));
    }

    @Test
    void sizeOfALiveSlotCannotChange() {
        memory.set(0, 0, 0, 8192, null);
        refused(Errno.EINVAL, () -> memory.set(0, 0, 0, 4096, null));
    }

    @Test
    void overlapWithAnotherSlotIsEexist() {
        memory.set(0, 0, 0, 8192, null);
        refused(Errno.EEXIST, () -> memory.set(1, 0, 4096, 4096, null));
        memory.set(1, 0, 8192, 4096, null);
    }

    @Test
    void slotNumberOutOfRangeIsEinval() {
        refused(Errno.EINVAL, () -> memory.set(Vm.MAX_SLOTS, 0, 0, 4096, null));
        refused(Errno.EINVAL, () -> memory.set(-1, 0, 0, 4096, null));
    }

    @Test
    void removingAnUnusedSlotIsEinval() {
        refused(Errno.EINVAL, () -> memory.set(3, 0, 0, 0, null));
    }

    @Test
    void aSlotCanMoveAndKeepsItsContents() {
        memory.set(0, 0, 0, 4096, null);
        memory.write(0x10, 4, 0x12345678);
        memory.set(0, 0, 0x100000, 4096, null).release();
        assertEquals(0x12345678, memory.read(0x100010, 4));
        assertEquals(0, memory.frame(0));
    }

    @Test
    void aRemovedSlotIsNoMemoryAndItsFramesAreGone() {
        memory.set(0, 0, 0, 4096, null);
        long frame = memory.frame(0);
        memory.set(0, 0, 0, 0, null).release();
        assertEquals(0, memory.frame(0));
        assertEquals(0, memory.frames().host(frame));
        assertThrows(IndexOutOfBoundsException.class, () -> memory.read(0, 1));
    }

    @Test
    void framesOfASlotAreConsecutiveAndNotFrameZero() {
        memory.set(0, 0, 0x40000, 16384, null);
        long first = memory.frame(0x40);
        assertTrue(first > 0);
        for (int i = 0; i < 4; i++) assertEquals(first + i, memory.frame(0x40 + i));
    }

    @Test
    void userMemoryIsTheSameMemory() {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment mine = arena.allocate(8192, 4096);
            memory.set(0, 0, 0x2000, 8192, mine);
            memory.write(0x2ffe, 4, 0xaabbccdd);
            assertEquals((byte) 0xdd, mine.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0xffe));
            assertEquals((byte) 0xaa, mine.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0x1001));
        }
    }

    @Test
    void hostMemoryInTwoSlotsHasOneFrameNumber() {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment mine = arena.allocate(16384, 4096);
            memory.set(0, 0, 0x10000, 16384, mine);
            memory.set(1, 0, 0x40000, 8192, mine.asSlice(4096, 8192));
            assertEquals(memory.frame(0x11), memory.frame(0x40));
            assertEquals(memory.frame(0x12), memory.frame(0x41));
            // Code in it is found by either address.
            memory.frames().setCodeMask(memory.frame(0x40), 1);
            assertEquals(1, memory.frames().codeMask(memory.frame(0x11)));
            // The slot that has it alone keeps its frames when the other goes.
            long frame = memory.frame(0x40);
            memory.set(0, 0, 0x10000, 0, null).release();
            assertEquals(mine.address() + 4096, memory.frames().host(frame));
            memory.set(1, 0, 0x40000, 0, null).release();
            assertEquals(0, memory.frames().host(frame));
        }
    }

    @Test
    void hostMemoryThatAnotherSlotHasInPartIsRefused() {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment mine = arena.allocate(16384, 4096);
            memory.set(0, 0, 0x10000, 8192, mine.asSlice(4096, 8192));
            refused(Errno.EINVAL, () -> memory.set(1, 0, 0x40000, 8192, mine));
            refused(Errno.EINVAL, () -> memory.set(1, 0, 0x40000, 8192, mine.asSlice(8192, 8192)));
            refused(Errno.EINVAL, () -> memory.set(1, 0, 0x40000, 16384, mine));
            memory.set(1, 0, 0x40000, 4096, mine);
            memory.set(0, 0, 0x10000, 8192, mine.asSlice(8192, 8192)).release();
            assertEquals(mine.address() + 8192, memory.host(0x10000), "its own slot may move in its memory");
        }
    }

    @Test
    void dirtyBitsStayWhenASlotIsSetAgain() {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment mine = arena.allocate(16384, 4096);
            memory.set(0, Vm.MEM_LOG_DIRTY_PAGES, 0x10000, 16384, mine);
            memory.write(0x11000, 1, 1);
            memory.set(0, Vm.MEM_LOG_DIRTY_PAGES, 0x20000, 16384, mine).release();
            memory.write(0x23000, 1, 1);
            assertEquals("{1, 3}", memory.takeDirty(0).toString());
            memory.write(0x22000, 1, 1);
            memory.set(0, 0, 0x20000, 16384, mine).release();
            memory.set(0, Vm.MEM_LOG_DIRTY_PAGES, 0x20000, 16384, mine).release();
            assertEquals("{}", memory.takeDirty(0).toString(), "logging began anew");
        }
    }

    @Test
    void aReadOnlySlotDropsGuestWritesAndTakesBlocks() {
        memory.set(0, Vm.MEM_READONLY, 0, 4096, null);
        memory.write(0, 1, 0x55);
        assertEquals(0, memory.read(0, 1));
        memory.write(0, new byte[] {0x66}, 0, 1);
        assertEquals(0x66, memory.read(0, 1));
    }

    @Test
    void theDoorTellsBeforeItStores() {
        memory.set(0, 0, 0, 8192, null);
        memory.frames().setCodeMask(memory.frame(0), 1);
        List<String> told = new ArrayList<>();
        memory.setWriteListener(new GuestMemory.WriteListener() {
            @Override
            public void codeWritten(long frame, int offset, int length) {
                told.add("code " + offset + " " + length + " " + memory.read(offset, 1));
            }

            @Override
            public void preWrite(long gpa, int length) {
                told.add("pte " + gpa + " " + length);
            }
        });
        memory.write(0x20, 1, 7);
        memory.write(0x1020, new byte[3], 0, 3);
        assertEquals(List.of("code 32 1 0", "pte 32 1", "pte 4128 3"), told);
    }

    @Test
    void dirtyLogHasTheWrittenPagesOnce() {
        memory.set(0, Vm.MEM_LOG_DIRTY_PAGES, 0x10000, 16384, null);
        memory.write(0x11ffe, 4, -1);
        assertEquals("{1, 2}", memory.takeDirty(0).toString());
        assertTrue(memory.takeDirty(0).isEmpty());
        memory.set(1, 0, 0, 4096, null);
        refused(Errno.ENOENT, () -> memory.takeDirty(1));
    }

    @Test
    void withA20OffBit20IsZero() {
        memory.set(0, 0, 0, 0x200000, null);
        memory.write(0x100000, 1, 0x11);
        memory.write(0, 1, 0x22);
        memory.setA20(false);
        assertEquals(0x22, memory.read(0x100000, 1));
        memory.setA20(true);
        assertEquals(0x11, memory.read(0x100000, 1));
    }

    @Test
    void memoryAbove4GiBIsFound() {
        memory.set(0, 0, 1L << 32, 8192, null);
        memory.write((1L << 32) + 4096, 8, -2);
        assertEquals(-2, memory.read((1L << 32) + 4096, 8));
    }
}
