package org.backplane.board.api;

import java.util.Map;
import org.backplane.kvm.spi.mmu.Mmu;

/**
 * The MMU in service.
 *
 * @param type the card's type, as {@code -mmu} takes it
 * @param counters what it counts, by name, in its order (pf_fixed, pf_guest, …)
 * @param tlb what the TLBs of all vCPUs count: fills, flushes, page_flushes
 */
public record MmuInfo(String type, Mmu.Kind kind, Map<String, Long> counters, Map<String, Long> tlb) {}
