"""Matching pursuit: atoms are found, and more of them leave less."""

import torch

from sparse_codec import CodecConfig
from sparse_codec.evaluation.pursuit import DECAYS, LOBE, MatchingPursuit
from sparse_codec.model.spectrogram import magnitudes


def energy(x):
    return x.pow(2).sum().item()


def test_an_atom_is_found_where_it_was_put():
    pursuit = MatchingPursuit(CodecConfig())
    original = torch.zeros(1025, 256)
    tail = pursuit.tails[3, :, 40]
    for i, height in zip((299, 300, 301), LOBE, strict=True):
        original[i, :160] = 7 * height * tail
    atoms = pursuit.decompose(original, 1)
    assert (atoms.bins.item(), atoms.frames.item()) == (300, 40)
    assert abs(atoms.decays.item() - DECAYS[3]) < 1e-6 and abs(atoms.gains.item() - 7) < 1e-3


def test_incremental_products_equal_a_naive_pursuit():
    """An atom changes five rows only; products computed anew for it give the same atoms."""
    pursuit = MatchingPursuit(CodecConfig())
    original = torch.rand(1025, 256, generator=torch.Generator().manual_seed(0)).pow(4)
    quick = pursuit.decompose(original, 4)
    residual = original.clone()
    for n in range(4):
        atom = pursuit.decompose(residual, 1)
        for name in ("bins", "frames", "decays"):
            assert getattr(atom, name)[0] == getattr(quick, name)[n], name
        residual[:, :160] -= atom.gains[0] * pursuit.spectrograms(atom)[0]


def test_energy_falls_with_each_atom_and_joint_gains_leave_less(music):
    config = CodecConfig()
    pursuit = MatchingPursuit(config)
    original = magnitudes(torch.from_numpy(music[None, : 2**17]), 2048, 512)[0]
    atoms = pursuit.decompose(original, 16)
    spectra = pursuit.spectrograms(atoms)
    left = [
        original[:, :160] - torch.einsum("n,nft->ft", atoms.gains[:n], spectra[:n])
        for n in (0, 1, 4, 16)
    ]
    energies = [energy(x) for x in left]
    assert energies == sorted(energies, reverse=True)
    gains = pursuit.joint_gains(original, spectra)
    joint = original[:, :160] - torch.einsum("n,nft->ft", gains, spectra)
    assert energy(joint) <= energies[-1]
    sound = pursuit.render(atoms, 2**17)
    assert 0.01 < sound.abs().max() < 2 and torch.isfinite(sound).all()
