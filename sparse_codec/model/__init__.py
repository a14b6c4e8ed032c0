"""From a spectrogram to events and back. Read in this order:

- `spectrogram`: samples become magnitudes; measures of these
- `events`: the columns that all the others hand on
- `decoder`: events as spectrograms and sound; all that a decoder can do, and the harmonic one
- `recurrent_decoder`, `resonance_decoder`: two more decoders
- `encoder`: a residual gives candidate events
- `greedy`: one event after another is chosen, and taken off the residual
- `scene_loss`: how far the sum of events is from the original
- `refine`: all events of a segment are fitted together
"""
