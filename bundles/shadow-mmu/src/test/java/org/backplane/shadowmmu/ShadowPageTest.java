package org.backplane.shadowmmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.backplane.kvm.spi.mmu.Spte;
import org.junit.jupiter.api.Test;

/** Who points at a shadow page: one parent inline, more in chunks of five. */
class ShadowPageTest {
    private final ShadowPage page = new ShadowPage(1, 2, 2, Role.of(0, 1, 0, false, Spte.W));

    @Test
    void parentsAreThoseAddedAndNotRemoved() {
        Random random = new Random(1);
        Set<Long> model = new HashSet<>();
        int most = 0;
        for (int n = 0; n < 20_000; n++) {
            // Between none and three chunks, there and back.
            int bound = n / 500 % 2 == 0 ? 17 : 2;
            long ref = 512 + random.nextInt(40);
            if (model.remove(ref)) page.removeParent(ref);
            else if (model.size() < bound && model.add(ref)) page.addParent(ref);
            most = Math.max(most, model.size());
            assertEquals(model.size(), page.parentRefs().size());
            assertEquals(model, new HashSet<>(page.parentRefs()));
            long any = page.anyParent();
            assertTrue(model.isEmpty() ? any == ShadowPage.NONE : model.contains(any), Long.toString(any));
        }
        assertEquals(17, most);
    }

    @Test
    void singleParentTakesNoChunkAndFiveShareOne() {
        page.addParent(512);
        assertEquals(0, page.parentChunks());
        for (int i = 1; i < 5; i++) page.addParent(512 + i);
        assertEquals(1, page.parentChunks());
        page.addParent(517);
        assertEquals(2, page.parentChunks());
        page.removeParent(513);
        page.addParent(518);
        assertEquals(2, page.parentChunks(), "a hole is filled");
        for (long ref : page.parentRefs()) page.removeParent(ref);
        assertEquals(0, page.parentChunks());
    }

    @Test
    void removingWhatIsNoParentIsAnError() {
        assertThrows(IllegalStateException.class, () -> page.removeParent(512));
        page.addParent(512);
        page.addParent(513);
        assertThrows(IllegalStateException.class, () -> page.removeParent(514));
    }
}
